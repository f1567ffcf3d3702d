"""Codes as a second factor: five digits by text, or a secret in a link by email (contract: internal-users 1.4).

A code is stored as an HMAC of the user, its type and the code, with the installation's secret keys: short codes cannot
be guessed from the table, and finding one is a look-up.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, Self
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.accounts.queries import lock_user
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.errors import NotFoundProblemError, ProblemError
from notify.sign_in.errors import CodeExpiredError, CodeNotFoundError
from notify.sign_in.models import CODE_TYPES, CodeType, VerifyCode

MOST_OPEN_CODES: Final = 5
MOST_FAILURES: Final = 10
VALID_FOR: Final = timedelta(minutes=30)
KEPT_FOR: Final = timedelta(hours=24)
_TEXT_CODE_DIGITS: Final = 5


def new_text_code() -> str:
    """A random code of five digits, without equal adjacent digits."""
    digits = [secrets.choice("0123456789")]
    while len(digits) < _TEXT_CODE_DIGITS:
        digits.append(secrets.choice("0123456789".replace(digits[-1], "")))
    return "".join(digits)


def new_link_code() -> str:
    """A random code for links, which is never typed."""
    return str(uuid4())


class CodeDigests:
    """Makes the digests of stored codes."""

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._keys = [key.encode() for key in secret_keys]

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.settings.secret_key)

    def current(self, user_id: UUID, code_type: str, code: str) -> str:
        """The digest of a new code."""
        return self.accepted(user_id, code_type, code)[-1]

    def accepted(self, user_id: UUID, code_type: str, code: str) -> list[str]:
        """The possible digests of a stored code: one for each secret key."""
        message = f"verify code:{user_id}:{code_type}:{code}".encode("utf-8", "surrogatepass")
        return [hmac.digest(key, message, "sha256").hex() for key in self._keys]


def has_too_many_codes(session: Session, user_id: UUID, now: datetime) -> bool:
    """Whether a user has too many unused codes, so that no more are sent."""
    number = session.scalar(
        select(func.count()).where(
            VerifyCode.user_id == user_id, VerifyCode.code_used.is_(False), VerifyCode.expiry_datetime > now
        )
    )
    return (number or 0) >= MOST_OPEN_CODES


def save_code(
    session: Session, digests: CodeDigests, user_id: UUID, code_type: CodeType, code: str, now: datetime
) -> None:
    """Store a code for a user, valid for half an hour."""
    session.add(
        VerifyCode(
            user_id=user_id,
            code_type=code_type,
            code=digests.current(user_id, code_type, code),
            created_at=now,
            expiry_datetime=now + VALID_FOR,
        )
    )
    session.flush()


def sign_in_with_code(
    database: Database, digests: CodeDigests, user_id: UUID, code_type: str, code: str, now: datetime
) -> None:
    """Use a code, which works once: signs the user in with a new session. Failures are counted permanently; after ten,
    no code is found. Commits itself.

    Raises `NotFoundProblemError` (no such user or type of code), `CodeNotFoundError`, `CodeExpiredError`.
    """
    with database.transaction() as session:
        user = lock_user(session, user_id)
        if code_type not in CODE_TYPES:
            raise NotFoundProblemError
        refusal = _use_code(session, user, code_type, digests.accepted(user_id, code_type, code), now)
    if refusal is not None:
        raise refusal


def _use_code(
    session: Session, user: User, code_type: str, digests: Sequence[str], now: datetime
) -> ProblemError | None:
    if user.failed_login_count >= MOST_FAILURES:
        return CodeNotFoundError()
    row = session.scalar(
        select(VerifyCode)
        .where(VerifyCode.user_id == user.id, VerifyCode.code_type == code_type, VerifyCode.code.in_(digests))
        .order_by(VerifyCode.created_at.desc(), VerifyCode.id.desc())
        .limit(1)
    )
    if row is None:
        user.failed_login_count += 1
        return CodeNotFoundError()
    if row.code_used or row.expiry_datetime <= now:
        user.failed_login_count += 1
        return CodeExpiredError()
    row.code_used = True
    start_session(user, now)
    if code_type == "email":
        user.email_access_validated_at = now
    return None


def start_session(user: User, now: datetime) -> None:
    """Sign a user in: start a new session, which ends any other, and reset the failures."""
    user.current_session_id = uuid4()
    user.logged_in_at = now
    user.failed_login_count = 0


def delete_old_codes(database: Database, now: datetime) -> int:
    """Delete codes that were made more than a day ago; returns their number."""
    with database.transaction() as session:
        gone = session.execute(
            delete(VerifyCode).where(VerifyCode.created_at < now - KEPT_FOR).returning(VerifyCode.id)
        )
        return len(gone.all())
