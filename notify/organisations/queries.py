"""Queries for organisations."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.organisations.models import Domain, Organisation

MOST_LABELS: Final = 128
"""Most labels of a DNS name."""


def organisation_of_address(session: Session, email_address: str) -> Organisation | None:
    """The organisation of people with this email address (contract: internal-services 2.2)."""
    return organisation_of_domain(session, email_address.rpartition("@")[2])


def organisation_of_domain(session: Session, domain: str) -> Organisation | None:
    """The organisation of the longest stored domain that equals this one or is a parent of it. `.gsi.gov.uk` counts as
    `.gov.uk` (contract: internal-users-orgs-templates 4.2).
    """
    labels = domain.lower().replace(".gsi.gov.uk", ".gov.uk").split(".")[-MOST_LABELS:]
    candidates = [".".join(labels[start:]) for start in range(len(labels))]
    return session.scalar(
        select(Organisation)
        .join(Domain, Domain.organisation_id == Organisation.id)
        .where(Domain.domain.in_(candidates))
        .order_by(func.length(Domain.domain).desc())
        .limit(1)
    )
