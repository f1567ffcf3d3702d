"""Archives organisations (contract: internal-users-orgs-templates 4.3)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from notify.accounts.models import OrganisationUser
from notify.organisations.models import Domain
from notify.services.models import Service
from notify.services.organisations import lock_organisation
from notify.teams.errors import HasMembersError, HasServicesError
from notify.teams.models import OrganisationInvitation

LONGEST_NAME = 255


def archive_organisation(session: Session, organisation_id: UUID, *, now: datetime) -> None:
    """Archive an organisation: frees its name and its domains, and removes its default branding. Does nothing if it is
    already archived. Flushes. Raises `NotFoundProblemError`, `HasServicesError`, `HasMembersError`.
    """
    organisation = lock_organisation(session, organisation_id)
    if session.scalar(select(exists().where(Service.organisation_id == organisation_id, Service.active))):
        raise HasServicesError
    members = exists().where(OrganisationUser.organisation_id == organisation_id)
    invited = exists().where(
        OrganisationInvitation.organisation_id == organisation_id, OrganisationInvitation.status == "pending"
    )
    if session.scalar(select(or_(members, invited))):
        raise HasMembersError
    if not organisation.active:
        return
    session.execute(delete(Domain).where(Domain.organisation_id == organisation_id))
    organisation.email_branding_id = None
    organisation.letter_branding_id = None
    organisation.name = f"_archived_{now:%Y-%m-%d-%H:%M:%S}_{organisation.name}"[:LONGEST_NAME]
    organisation.active = False
    session.flush()
