"""Security keys."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from notify.accounts.models import User
from notify.infra.errors import NotFoundProblemError
from notify.infra.parts import Parts
from notify.sign_in.errors import LastSecurityKeyError, TooManyFailuresError
from notify.sign_in.security_keys import add_key, complete_sign_in, delete_key, list_keys, rename_key
from tests.services.factory import a_user

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


def a_user_with_keys(parts: Parts, number: int) -> tuple[UUID, list[UUID]]:
    with parts.database.transaction() as session:
        user_id = a_user(session).id
        keys = [
            add_key(session, user_id, name=f"Key {each}", credential_data="AA==", registration_response="AA==")
            for each in range(number)
        ]
        return user_id, [key.id for key in keys]


def complete(parts: Parts, user_id: UUID, *, successful: bool = True, key_id: UUID | None = None) -> User:
    with parts.database.transaction() as session:
        complete_sign_in(session, user_id, successful=successful, key_id=key_id, now=NOON)
    with parts.database.session() as session:
        return session.get_one(User, user_id)


def test_a_key_signs_in(parts: Parts) -> None:
    user_id, (first, second) = a_user_with_keys(parts, 2)
    assert complete(parts, user_id, successful=False).failed_login_count == 1
    user = complete(parts, user_id, key_id=second)
    assert (user.failed_login_count, user.logged_in_at) == (0, NOON)
    with parts.database.session() as session:
        used = {key.id: key.logged_in_at for key in list_keys(session, user_id)}
    assert used == {first: None, second: NOON}


def test_a_key_of_another_user_is_refused(parts: Parts) -> None:
    user_id, _ = a_user_with_keys(parts, 1)
    _, (theirs,) = a_user_with_keys(parts, 1)
    for key_id in (theirs, uuid4()):
        with pytest.raises(NotFoundProblemError):
            complete(parts, user_id, key_id=key_id)
    with parts.database.session() as session:
        assert session.get_one(User, user_id).current_session_id is None
    with parts.database.transaction() as session, pytest.raises(NotFoundProblemError):
        rename_key(session, user_id, theirs, "Mine", NOON)


def test_five_failures_lock_the_user_out(parts: Parts) -> None:
    user_id, (key_id,) = a_user_with_keys(parts, 1)
    for _ in range(5):
        complete(parts, user_id, successful=False)
    with pytest.raises(TooManyFailuresError):
        complete(parts, user_id, key_id=key_id)


def test_two_deletions_at_once_leave_a_key(parts: Parts) -> None:
    user_id, keys = a_user_with_keys(parts, 2)

    def delete(key_id: UUID) -> bool:
        try:
            with parts.database.transaction() as session:
                delete_key(session, user_id, key_id)
        except LastSecurityKeyError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(delete, keys)) == [False, True]
    with parts.database.session() as session:
        assert len(list_keys(session, user_id)) == 1
