"""Email brandings (contract: internal-jobs-billing-platform 9)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.branding import email_branding
from notify.branding.models import BrandType, EmailBranding
from notify.branding.names import free_name
from notify.infra.errors import NotFoundProblemError
from notify.internal.fields import Moment
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data
from notify.services import branding as uses

routes = Routes("email_branding", "/email-branding")


class ChangedEmailBranding(Body):
    """The fields of an email branding to change."""

    colour: str | MISSING | None = MISSING
    name: str | MISSING = MISSING
    alt_text: str | MISSING | None = MISSING
    text: str | MISSING | None = MISSING
    logo: str | MISSING | None = MISSING
    brand_type: BrandType | MISSING = MISSING
    updated_by: str | MISSING = MISSING


class NewEmailBranding(Body):
    """An email branding to create."""

    colour: str | None = None
    name: str
    alt_text: str | None = None
    text: str | None = None
    logo: str | None = None
    brand_type: BrandType = "org"
    created_by: str | MISSING = MISSING


class AltText(Body):
    """The text of a logo."""

    alt_text: str


class EmailBrandingAnswer(Answer):
    """An email branding."""

    id: UUID
    colour: str | None
    logo: str | None
    name: str
    text: str | None
    brand_type: str
    alt_text: str | None
    created_by: UUID | None
    created_at: Moment | None
    updated_at: Moment | None


class EmailBrandingsAnswer(Answer):
    """Every email branding that can be chosen."""

    email_branding: list[EmailBrandingAnswer]


class OneEmailBrandingAnswer(Answer):
    """An email branding, under its name."""

    email_branding: EmailBrandingAnswer


class FreeNameAnswer(Answer):
    """A name that no branding has."""

    name: str


class NamedAnswer(Answer):
    """A service or an organisation."""

    id: UUID
    name: str


class UsersOfBrandingAnswer(Answer):
    """The active services and organisations that use a branding."""

    services: list[NamedAnswer]
    organisations: list[NamedAnswer]


@routes.get("")
def list_email_brandings(session: Session) -> EmailBrandingsAnswer:
    """List the email brandings."""
    rows = email_branding.list_email_brandings(session)
    return EmailBrandingsAnswer(email_branding=EmailBrandingAnswer.of_each(rows))


@routes.post("", status=201)
def create_email_branding(session: Session, body: NewEmailBranding) -> Data[EmailBrandingAnswer]:
    """Create an email branding."""
    values: dict[str, Any] = body.given()
    author = values.pop("created_by", None)
    row = email_branding.create_email_branding(session, created_by_id=_author(author), **values)
    return Data(data=EmailBrandingAnswer.of(row))


@routes.get("/<uuid:email_branding_id>")
def get_email_branding(session: Session, email_branding_id: UUID) -> OneEmailBrandingAnswer:
    """Get an email branding."""
    row = email_branding.get_email_branding(session, email_branding_id)
    return OneEmailBrandingAnswer(email_branding=EmailBrandingAnswer.of(row))


@routes.post("/<uuid:email_branding_id>")
def change_email_branding(
    session: Session, email_branding_id: UUID, body: ChangedEmailBranding
) -> Data[EmailBrandingAnswer]:
    """Change an email branding."""
    values: dict[str, Any] = body.given()
    author = values.pop("updated_by", None)
    row = email_branding.update_email_branding(session, email_branding_id, updated_by_id=_author(author), **values)
    return Data(data=EmailBrandingAnswer.of(row))


@routes.post("/<uuid:email_branding_id>/archive", status=204)
def archive_email_branding(session: Session, email_branding_id: UUID) -> None:
    """Archive an email branding."""
    uses.archive_email_branding(session, email_branding_id)


@routes.get("/<uuid:email_branding_id>/orgs_and_services")
def get_users_of_email_branding(session: Session, email_branding_id: UUID) -> Data[UsersOfBrandingAnswer]:
    """Get the organisations and services that use an email branding."""
    return Data(data=UsersOfBrandingAnswer.of(uses.email_branding_users(session, email_branding_id)))


@routes.post("/get-name-for-alt-text/", writes=False)
def get_name_for_alt_text(session: Session, body: AltText) -> FreeNameAnswer:
    """Get a free name for a branding from the text of its logo."""
    return FreeNameAnswer(name=free_name(session, EmailBranding, body.alt_text))


def _author(text: str | None) -> UUID | None:
    """The id of the user who makes a change. Raises `NotFoundProblemError` for text that is not an id."""
    try:
        return None if text is None else UUID(text)
    except ValueError:
        raise NotFoundProblemError from None
