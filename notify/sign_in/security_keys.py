"""Security keys (WebAuthn) as a second factor (contract: internal-users 1.4, 2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.accounts.queries import get_user, lock_user
from notify.infra.errors import NotFoundProblemError
from notify.sign_in.codes import start_session
from notify.sign_in.errors import LastSecurityKeyError, TooManyFailuresError
from notify.sign_in.models import SecurityKey

MOST_FAILURES: Final = 5


def list_keys(session: Session, user_id: UUID) -> Sequence[SecurityKey]:
    """A user's keys, oldest first. Raises `NotFoundProblemError` (no such user)."""
    get_user(session, user_id)
    query = select(SecurityKey).where(SecurityKey.user_id == user_id)
    return session.scalars(query.order_by(SecurityKey.created_at, SecurityKey.id)).all()


def get_key(session: Session, user_id: UUID, key_id: UUID) -> SecurityKey:
    """One of a user's keys. Raises `NotFoundProblemError`."""
    key = session.scalar(select(SecurityKey).where(SecurityKey.id == key_id, SecurityKey.user_id == user_id))
    if key is None:
        raise NotFoundProblemError
    return key


def add_key(
    session: Session, user_id: UUID, *, name: str, credential_data: str, registration_response: str
) -> SecurityKey:
    """Store a key that a user registered. Raises `NotFoundProblemError` (no such user)."""
    get_user(session, user_id)
    key = SecurityKey(
        user_id=user_id, name=name, credential_data=credential_data, registration_response=registration_response
    )
    session.add(key)
    session.flush()
    return key


def rename_key(session: Session, user_id: UUID, key_id: UUID, name: str, now: datetime) -> SecurityKey:
    """Rename a key. Raises `NotFoundProblemError`."""
    key = get_key(session, user_id, key_id)
    key.name = name
    key.updated_at = now
    session.flush()
    return key


def delete_key(session: Session, user_id: UUID, key_id: UUID) -> None:
    """Delete a key. Raises `NotFoundProblemError`, `LastSecurityKeyError`."""
    lock_user(session, user_id)  # two concurrent deletions must not delete both of the last two keys
    key = get_key(session, user_id, key_id)
    number = session.scalar(select(func.count()).where(SecurityKey.user_id == user_id))
    if (number or 0) <= 1:
        raise LastSecurityKeyError
    session.delete(key)
    session.flush()


def complete_sign_in(session: Session, user_id: UUID, *, successful: bool, key_id: UUID | None, now: datetime) -> None:
    """Record the result of signing in with a key, which the admin app verified: success starts a new session, a failure
    is counted.

    Raises `NotFoundProblemError` (no such user, or not a key of theirs: nobody is signed in), `TooManyFailuresError`.
    """
    user = lock_user(session, user_id)
    if user.failed_login_count >= MOST_FAILURES:
        raise TooManyFailuresError
    if not successful:
        user.failed_login_count += 1
        session.flush()
        return
    if key_id is not None:
        key = get_key(session, user_id, key_id)
        key.logged_in_at = now
        key.updated_at = now
    start_session(user, now)
    session.flush()
