"""Changes organisations, with their effects on services (contract: internal-users-orgs-templates 4.3). Every function
flushes; the caller's transaction commits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import InstrumentedAttribute, Session

from notify.branding import pools
from notify.branding.errors import DefaultBrandingError
from notify.branding.models import (
    NHS_EMAIL_BRANDING_ID,
    NHS_LETTER_BRANDING_ID,
    ServiceEmailBranding,
    ServiceLetterBranding,
)
from notify.infra.errors import NotFoundProblemError
from notify.infra.times import utc_now
from notify.infra.versions import save_version
from notify.organisations import actions
from notify.organisations.actions import OrganisationChanges, is_nhs
from notify.organisations.models import Organisation
from notify.services import hooks
from notify.services.models import Service
from notify.services.service import lock_service


def lock_organisation(session: Session, organisation_id: UUID) -> Organisation:
    """Load an organisation and lock its row, so that changes happen one at a time. Raises `NotFoundProblemError`."""
    organisation = session.get(Organisation, organisation_id, with_for_update=True)
    if organisation is None:
        raise NotFoundProblemError
    return organisation


def update_organisation(
    session: Session,
    organisation_id: UUID,
    changes: OrganisationChanges,
    *,
    domains: Sequence[str] | None = None,
    now: datetime | None = None,
) -> Organisation:
    """Change what is given. Its type and its crown are copied to all its services; its default brandings are set on
    services without one, and added to its pools. `domains` None: they stay.

    Raises `NotFoundProblemError`, and what `notify.organisations.actions` and `hooks.organisation_type_set` raise.
    """
    organisation = lock_organisation(session, organisation_id)
    becomes_nhs = is_nhs(changes.get("organisation_type"))
    if becomes_nhs and organisation.email_branding_id is None:
        changes = {**changes, "email_branding_id": NHS_EMAIL_BRANDING_ID}
    if becomes_nhs and organisation.letter_branding_id is None:
        changes = {**changes, "letter_branding_id": NHS_LETTER_BRANDING_ID}
    actions.set_columns(session, organisation, changes)
    if domains is not None:
        actions.set_domains(session, organisation_id, domains)
    _copy_to_services(session, organisation, changes, now or utc_now())
    _brand_services(session, organisation_id, changes)
    if becomes_nhs:
        pools.add_to_email_pool(session, organisation_id, [NHS_EMAIL_BRANDING_ID])
        pools.add_to_letter_pool(session, organisation_id, [NHS_LETTER_BRANDING_ID])
    else:
        _add_to_pools(session, organisation_id, changes)
    return organisation


def set_permissions(session: Session, organisation_id: UUID, permissions: Sequence[str]) -> None:
    """Replace the permissions of an organisation, for the members of its services. Raises `NotFoundProblemError`."""
    lock_organisation(session, organisation_id)
    actions.set_permissions(session, organisation_id, permissions)


def link_service(session: Session, organisation_id: UUID, service_id: UUID, *, now: datetime | None = None) -> None:
    """Link a service to an organisation, and copy its type and crown: a new version of the service. Its branding stays.
    Raises `NotFoundProblemError`, and what `hooks.organisation_type_set` raises.
    """
    moment = now or utc_now()
    service = lock_service(session, service_id)
    organisation = session.get(Organisation, organisation_id)
    if organisation is None:
        raise NotFoundProblemError
    service.organisation_id = organisation.id
    service.organisation_type = organisation.organisation_type
    service.crown = organisation.crown
    save_version(session, service, now=moment)
    hooks.organisation_type_set(session, service, moment)


def remove_from_email_pool(session: Session, organisation_id: UUID, branding_id: UUID) -> None:
    """Remove an email branding from a pool. Raises `NotFoundProblemError`, `NotInPoolError`, `DefaultBrandingError`."""
    organisation = lock_organisation(session, organisation_id)
    if organisation.email_branding_id == branding_id:
        raise DefaultBrandingError("email")
    pools.remove_from_email_pool(session, organisation_id, organisation.name, branding_id)


def remove_from_letter_pool(session: Session, organisation_id: UUID, branding_id: UUID) -> None:
    """Remove a letter branding from a pool. Raises `NotFoundProblemError`, `NotInPoolError`, `DefaultBrandingError`."""
    organisation = lock_organisation(session, organisation_id)
    if organisation.letter_branding_id == branding_id:
        raise DefaultBrandingError("letter")
    pools.remove_from_letter_pool(session, organisation_id, organisation.name, branding_id)


def _copy_to_services(
    session: Session, organisation: Organisation, changes: OrganisationChanges, moment: datetime
) -> None:
    copied = [name for name in ("organisation_type", "crown") if name in changes]
    if not copied:
        return
    own = select(Service).where(Service.organisation_id == organisation.id).order_by(Service.id).with_for_update()
    for service in session.scalars(own).all():
        for name in copied:
            setattr(service, name, getattr(organisation, name))
        save_version(session, service, now=moment)
        if "organisation_type" in copied:
            hooks.organisation_type_set(session, service, moment)


def _brand_services(session: Session, organisation_id: UUID, changes: OrganisationChanges) -> None:
    email_branding_id, letter_branding_id = changes.get("email_branding_id"), changes.get("letter_branding_id")
    if email_branding_id is not None:
        _fill(session, organisation_id, ServiceEmailBranding.email_branding_id, email_branding_id)
    if letter_branding_id is not None:
        _fill(session, organisation_id, ServiceLetterBranding.letter_branding_id, letter_branding_id)


def _fill(session: Session, organisation_id: UUID, column: InstrumentedAttribute[UUID], branding_id: UUID) -> None:
    """Set a branding on those services of an organisation that have none."""
    services = select(Service.id, literal(branding_id)).where(Service.organisation_id == organisation_id)
    rows = insert(column.class_).from_select(["service_id", column.key], services)
    session.execute(rows.on_conflict_do_nothing())


def _add_to_pools(session: Session, organisation_id: UUID, changes: OrganisationChanges) -> None:
    email_branding_id, letter_branding_id = changes.get("email_branding_id"), changes.get("letter_branding_id")
    if email_branding_id is not None:
        pools.add_to_email_pool(session, organisation_id, [email_branding_id])
    if letter_branding_id is not None:
        pools.add_to_letter_pool(session, organisation_id, [letter_branding_id])
