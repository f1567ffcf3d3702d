"""The brandings that the services of an organisation can choose (contract: internal-users-orgs-templates 4.2, 4.3)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from notify.branding import pools
from notify.infra.errors import NotFoundProblemError
from notify.internal.email_branding import EmailBrandingAnswer
from notify.internal.fields import Uuid
from notify.internal.letter_branding import LetterBrandingAnswer, answer_letter_branding
from notify.internal.routes import Routes
from notify.internal.schemas import Body, Data
from notify.organisations.models import Organisation
from notify.services import organisations

routes = Routes("branding_pools", "/organisations/<uuid:organisation_id>")


class Brandings(Body):
    """Brandings to add."""

    branding_ids: list[Uuid]


@routes.get("/email-branding-pool")
def list_email_pool(session: Session, organisation_id: UUID) -> Data[list[EmailBrandingAnswer]]:
    """List the email brandings of an organisation's pool."""
    return Data(data=EmailBrandingAnswer.of_each(pools.email_pool(session, organisation_id)))


@routes.post("/email-branding-pool", status=204)
def add_to_email_pool(session: Session, organisation_id: UUID, body: Brandings) -> None:
    """Add email brandings to an organisation's pool."""
    organisations.lock_organisation(session, organisation_id)
    pools.add_to_email_pool(session, organisation_id, body.branding_ids)


@routes.delete("/email-branding-pool/<uuid:email_branding_id>", status=204)
def remove_from_email_pool(session: Session, organisation_id: UUID, email_branding_id: UUID) -> None:
    """Remove an email branding from an organisation's pool."""
    organisations.remove_from_email_pool(session, organisation_id, email_branding_id)


@routes.get("/letter-branding-pool")
def list_letter_pool(session: Session, organisation_id: UUID) -> Data[list[LetterBrandingAnswer]]:
    """List the letter brandings of an organisation's pool."""
    if session.get(Organisation, organisation_id) is None:
        raise NotFoundProblemError
    return Data(data=[answer_letter_branding(row) for row in pools.letter_pool(session, organisation_id)])


@routes.post("/letter-branding-pool", status=204)
def add_to_letter_pool(session: Session, organisation_id: UUID, body: Brandings) -> None:
    """Add letter brandings to an organisation's pool."""
    organisations.lock_organisation(session, organisation_id)
    pools.add_to_letter_pool(session, organisation_id, body.branding_ids)


@routes.delete("/letter-branding-pool/<uuid:letter_branding_id>", status=204)
def remove_from_letter_pool(session: Session, organisation_id: UUID, letter_branding_id: UUID) -> None:
    """Remove a letter branding from an organisation's pool."""
    organisations.remove_from_letter_pool(session, organisation_id, letter_branding_id)
