"""Queries for users."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.accounts.models import Permission, User
from notify.infra.errors import NotFoundProblemError
from notify.infra.json_rows import json_list


def get_user(session: Session, user_id: UUID) -> User:
    """A user. Raises `NotFoundProblemError`."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFoundProblemError
    return user


def lock_user(session: Session, user_id: UUID) -> User:
    """A user, with the row locked until the end of the transaction. Raises `NotFoundProblemError`."""
    user = session.get(User, user_id, with_for_update=True)
    if user is None:
        raise NotFoundProblemError
    return user


def user_by_email(session: Session, email_address: str) -> User | None:
    """The user with this address, ignoring case."""
    return session.scalar(select(User).where(func.lower(User.email_address) == func.lower(email_address)))


def find_users(session: Session, part: str) -> str:
    """Users whose address contains this text, ignoring case, as a JSON array ordered by address."""
    query = (
        select(User.id, User.name, User.email_address, User.mobile_number)
        .where(User.email_address.icontains(part, autoescape=True, escape="\\"))
        .order_by(User.email_address, User.id)
    )
    return json_list(session, query)


def permissions_in_service(session: Session, user_id: UUID, service_id: UUID) -> list[str]:
    """A user's permissions in a service, in alphabetical order."""
    rows = session.scalars(
        select(Permission.permission).where(Permission.user_id == user_id, Permission.service_id == service_id)
    )
    return sorted(rows)
