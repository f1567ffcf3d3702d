"""Checks passwords, the first factor of signing in (contract: internal-users 1.3)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import update

from notify.accounts.models import User
from notify.accounts.passwords import hash_password, is_password, must_rehash
from notify.accounts.queries import get_user
from notify.infra.database import Database
from notify.sign_in.errors import IncorrectPasswordError


def check_password(database: Database, user_id: UUID, password: str) -> None:
    """Check a user's password. Success resets the count of failures and replaces a hash of an older kind; a failure is
    counted permanently. This function never locks the user out, however many failures there are: the admin app does.

    Commits itself, and holds no connection while it hashes. Raises `NotFoundProblemError` (no such user),
    `IncorrectPasswordError`.
    """
    with database.reading() as session:
        hashed = get_user(session, user_id).password
    correct = is_password(hashed, password)
    better = hash_password(password) if correct and must_rehash(hashed) else None
    count = update(User).where(User.id == user_id)
    with database.transaction() as session:
        if correct:
            session.execute(count.values(failed_login_count=0).where(User.failed_login_count != 0))
        else:
            session.execute(count.values(failed_login_count=User.failed_login_count + 1))
        if better is not None:
            session.execute(count.values(password=better).where(User.password == hashed))
    if not correct:
        raise IncorrectPasswordError
