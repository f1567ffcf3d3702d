"""Letter brandings (contract: internal-jobs-billing-platform 10)."""

from __future__ import annotations

from uuid import UUID

from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.branding import letter_branding
from notify.branding.models import LetterBranding
from notify.branding.names import free_name
from notify.internal.email_branding import FreeNameAnswer, UsersOfBrandingAnswer
from notify.internal.fields import Moment, Uuid
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data
from notify.services import branding as uses

routes = Routes("letter_branding", "/letter-branding")


class NewLetterBranding(Body):
    """A letter branding to create."""

    name: str | None
    filename: str | None
    created_by_id: Uuid | MISSING = MISSING


class ChangedLetterBranding(Body):
    """The new values of a letter branding."""

    name: str | None
    filename: str | None
    updated_by_id: Uuid | MISSING = MISSING


class WantedName(Body):
    """A name."""

    name: str


class LetterBrandingAnswer(Answer):
    """A letter branding."""

    id: UUID
    name: str
    filename: str
    created_by: UUID | None
    created_at: Moment | None
    updated_at: Moment | None


@routes.get("")
def list_letter_brandings(session: Session) -> list[LetterBrandingAnswer]:
    """List the letter brandings."""
    return [answer_letter_branding(row) for row in letter_branding.list_letter_brandings(session)]


@routes.post("", status=201)
def create_letter_branding(session: Session, body: NewLetterBranding) -> LetterBrandingAnswer:
    """Create a letter branding."""
    author = None if body.created_by_id is MISSING else body.created_by_id
    row = letter_branding.create_letter_branding(
        session, name=body.name or "", filename=body.filename or "", created_by_id=author
    )
    return answer_letter_branding(row)


@routes.get("/<uuid:letter_branding_id>")
def get_letter_branding(session: Session, letter_branding_id: UUID) -> LetterBrandingAnswer:
    """Get a letter branding."""
    return answer_letter_branding(letter_branding.get_letter_branding(session, letter_branding_id))


@routes.post("/<uuid:letter_branding_id>", status=201)
def change_letter_branding(
    session: Session, letter_branding_id: UUID, body: ChangedLetterBranding
) -> LetterBrandingAnswer:
    """Change a letter branding."""
    author = None if body.updated_by_id is MISSING else body.updated_by_id
    row = letter_branding.update_letter_branding(
        session, letter_branding_id, name=body.name or "", filename=body.filename or "", updated_by_id=author
    )
    return answer_letter_branding(row)


@routes.get("/<uuid:letter_branding_id>/orgs_and_services")
def get_users_of_letter_branding(session: Session, letter_branding_id: UUID) -> Data[UsersOfBrandingAnswer]:
    """Get the organisations and services that use a letter branding."""
    return Data(data=UsersOfBrandingAnswer.of(uses.letter_branding_users(session, letter_branding_id)))


@routes.post("/get-unique-name/", writes=False)
def get_unique_name(session: Session, body: WantedName) -> FreeNameAnswer:
    """Get a free name for a letter branding."""
    return FreeNameAnswer(name=free_name(session, LetterBranding, body.name))


def answer_letter_branding(row: LetterBranding) -> LetterBrandingAnswer:
    """The answer for a letter branding."""
    return LetterBrandingAnswer(
        id=row.id,
        name=row.name,
        filename=row.filename,
        created_by=row.created_by_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
