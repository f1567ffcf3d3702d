"""Pools: the brandings that the services of an organisation can choose (contract: internal-users-orgs-templates 4.3).

Every function flushes; the caller's transaction commits.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from notify.branding.errors import NotInPoolError
from notify.branding.models import (
    EmailBranding,
    LetterBranding,
    OrganisationEmailBranding,
    OrganisationLetterBranding,
)


def email_pool(session: Session, organisation_id: UUID) -> list[EmailBranding]:
    """The email brandings of an organisation's pool, by name; an unknown organisation has none."""
    query = (
        select(EmailBranding)
        .join(OrganisationEmailBranding, OrganisationEmailBranding.email_branding_id == EmailBranding.id)
        .where(OrganisationEmailBranding.organisation_id == organisation_id)
        .order_by(EmailBranding.name)
    )
    return list(session.scalars(query))


def letter_pool(session: Session, organisation_id: UUID) -> list[LetterBranding]:
    """The letter brandings of an organisation's pool, by name; an unknown organisation has none."""
    query = (
        select(LetterBranding)
        .join(OrganisationLetterBranding, OrganisationLetterBranding.letter_branding_id == LetterBranding.id)
        .where(OrganisationLetterBranding.organisation_id == organisation_id)
        .order_by(LetterBranding.name)
    )
    return list(session.scalars(query))


def add_to_email_pool(session: Session, organisation_id: UUID, branding_ids: Iterable[UUID]) -> None:
    """Add email brandings to a pool; the others stay. An unknown id raises `IntegrityError`."""
    rows = [{"organisation_id": organisation_id, "email_branding_id": each} for each in dict.fromkeys(branding_ids)]
    if rows:
        session.execute(insert(OrganisationEmailBranding).on_conflict_do_nothing(), rows)


def add_to_letter_pool(session: Session, organisation_id: UUID, branding_ids: Iterable[UUID]) -> None:
    """Add letter brandings to a pool; the others stay. An unknown id raises `IntegrityError`."""
    rows = [{"organisation_id": organisation_id, "letter_branding_id": each} for each in dict.fromkeys(branding_ids)]
    if rows:
        session.execute(insert(OrganisationLetterBranding).on_conflict_do_nothing(), rows)


def remove_from_email_pool(session: Session, organisation_id: UUID, name: str, branding_id: UUID) -> None:
    """Remove an email branding from an organisation's pool. `name` is the organisation's. Raises `NotInPoolError`."""
    row = session.get(OrganisationEmailBranding, (organisation_id, branding_id))
    if row is None:
        raise NotInPoolError("Email", branding_id, name)
    session.delete(row)
    session.flush()


def remove_from_letter_pool(session: Session, organisation_id: UUID, name: str, branding_id: UUID) -> None:
    """Remove a letter branding from an organisation's pool. `name` is the organisation's. Raises `NotInPoolError`."""
    row = session.get(OrganisationLetterBranding, (organisation_id, branding_id))
    if row is None:
        raise NotInPoolError("Letter", branding_id, name)
    session.delete(row)
    session.flush()


def remove_from_every_email_pool(session: Session, branding_id: UUID) -> None:
    """Remove an email branding from every pool."""
    session.execute(delete(OrganisationEmailBranding).where(OrganisationEmailBranding.email_branding_id == branding_id))
