"""Reading users."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.accounts.models import Permission, User


def user_by_email(session: Session, email_address: str) -> User | None:
    """The user with this address, without regard to case."""
    return session.scalar(select(User).where(func.lower(User.email_address) == func.lower(email_address)))


def permissions_in_service(session: Session, user_id: UUID, service_id: UUID) -> list[str]:
    """A user's permissions in a service, in alphabetical order."""
    rows = session.scalars(
        select(Permission.permission).where(Permission.user_id == user_id, Permission.service_id == service_id)
    )
    return sorted(rows)
