"""Reading organisations."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.organisations.models import Domain, Organisation


def organisation_of_address(session: Session, email_address: str) -> Organisation | None:
    """The organisation that people with such an address belong to: that of the longest domain which the address's
    domain is, or is below. `.gsi.gov.uk` counts as `.gov.uk` (contract: internal-services 2.2).
    """
    host = email_address.rpartition("@")[2].lower().replace(".gsi.gov.uk", ".gov.uk")
    labels = host.split(".")
    candidates = [".".join(labels[start:]) for start in range(len(labels))]
    return session.scalar(
        select(Organisation)
        .join(Domain, Domain.organisation_id == Organisation.id)
        .where(Domain.domain.in_(candidates))
        .order_by(func.length(Domain.domain).desc())
        .limit(1)
    )
