"""The brandings of services. Every function flushes; the caller's transaction commits."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from notify.branding.email_branding import get_email_branding
from notify.branding.errors import EmailBrandingInUseError
from notify.branding.models import EmailBranding, LetterBranding, ServiceEmailBranding, ServiceLetterBranding
from notify.branding.pools import remove_from_every_email_pool
from notify.infra.errors import NotFoundProblemError
from notify.infra.times import utc_now
from notify.organisations.models import Organisation
from notify.services.models import Service


class Named(NamedTuple):
    """The id and name of a service or an organisation."""

    id: UUID
    name: str


class BrandingUsers(NamedTuple):
    """The active services and organisations that use a branding, by name (internal-jobs-billing-platform 9, 10)."""

    services: list[Named]
    organisations: list[Named]


def set_email_branding(session: Session, service_id: UUID, branding_id: UUID | None) -> None:
    """Set a service's email branding, or None. Raises `NotFoundProblemError`: there is no such branding."""
    if branding_id is None:
        session.execute(delete(ServiceEmailBranding).where(ServiceEmailBranding.service_id == service_id))
        return
    if session.get(EmailBranding, branding_id) is None:
        raise NotFoundProblemError
    session.merge(ServiceEmailBranding(service_id=service_id, email_branding_id=branding_id))
    session.flush()


def set_letter_branding(session: Session, service_id: UUID, branding_id: UUID | None) -> None:
    """Set a service's letter branding, or None. Raises `NotFoundProblemError`: there is no such branding."""
    if branding_id is None:
        session.execute(delete(ServiceLetterBranding).where(ServiceLetterBranding.service_id == service_id))
        return
    if session.get(LetterBranding, branding_id) is None:
        raise NotFoundProblemError
    session.merge(ServiceLetterBranding(service_id=service_id, letter_branding_id=branding_id))
    session.flush()


def email_branding_users(session: Session, branding_id: UUID) -> BrandingUsers:
    """The users of an email branding; empty for an unknown id."""
    services = (
        select(Service.id, Service.name)
        .join(ServiceEmailBranding, ServiceEmailBranding.service_id == Service.id)
        .where(ServiceEmailBranding.email_branding_id == branding_id, Service.active)
        .order_by(Service.name)
    )
    return BrandingUsers(
        [Named(id_, name) for id_, name in session.execute(services)],
        _organisations(session, Organisation.email_branding_id == branding_id),
    )


def letter_branding_users(session: Session, branding_id: UUID) -> BrandingUsers:
    """The users of a letter branding; empty for an unknown id."""
    services = (
        select(Service.id, Service.name)
        .join(ServiceLetterBranding, ServiceLetterBranding.service_id == Service.id)
        .where(ServiceLetterBranding.letter_branding_id == branding_id, Service.active)
        .order_by(Service.name)
    )
    return BrandingUsers(
        [Named(id_, name) for id_, name in session.execute(services)],
        _organisations(session, Organisation.letter_branding_id == branding_id),
    )


def _organisations(session: Session, uses_it: ColumnElement[bool]) -> list[Named]:
    query = select(Organisation.id, Organisation.name).where(uses_it, Organisation.active).order_by(Organisation.name)
    return [Named(id_, name) for id_, name in session.execute(query)]


def archive_email_branding(session: Session, branding_id: UUID, *, now: datetime | None = None) -> EmailBranding:
    """Archive an email branding: it can no longer be chosen, and its name becomes free.

    Raises `NotFoundProblemError`, `EmailBrandingInUseError`.
    """
    branding = get_email_branding(session, branding_id, lock=True)
    if any(email_branding_users(session, branding_id)):
        raise EmailBrandingInUseError
    if branding.active:
        remove_from_every_email_pool(session, branding_id)
        branding.active = False
        branding.name = f"_archived_{now or utc_now():%Y-%m-%d-%H:%M:%S}_{branding.name}"[:255]
        session.flush()
    return branding
