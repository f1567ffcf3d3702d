"""Reading users and organisations."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.accounts.models import Domain, Organisation, User


def user_by_email(session: Session, email_address: str) -> User | None:
    """The user with this address, without regard to case."""
    return session.scalar(select(User).where(func.lower(User.email_address) == func.lower(email_address)))


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


def permissions_in_service(session: Session, user_id: UUID, service_id: UUID) -> list[str]:
    """What the user may do in the service, in alphabetical order."""
    from notify.accounts.models import Permission

    rows = session.scalars(
        select(Permission.permission).where(Permission.user_id == user_id, Permission.service_id == service_id)
    )
    return sorted(rows)
