"""Checking passwords."""

from __future__ import annotations

from uuid import UUID, uuid4

import bcrypt
import pytest

from notify.accounts.models import User
from notify.accounts.passwords import hash_password
from notify.infra.errors import NotFoundProblemError
from notify.infra.parts import Parts
from notify.sign_in.errors import IncorrectPasswordError
from notify.sign_in.passwords import check_password
from tests.services.factory import a_user

WORDS = "correct horse battery"


def user_with(parts: Parts, hashed: str) -> UUID:
    with parts.database.transaction() as session:
        return a_user(session, password=hashed).id


def the_user(parts: Parts, user_id: UUID) -> User:
    with parts.database.session() as session:
        return session.get_one(User, user_id)


def test_failures_are_counted_and_success_ends_the_count(parts: Parts) -> None:
    user_id = user_with(parts, hash_password(WORDS))
    before = the_user(parts, user_id).password
    for wrong in ("", "\x00", "wrong " * 1000):
        with pytest.raises(IncorrectPasswordError):
            check_password(parts.database, user_id, wrong)
    assert the_user(parts, user_id).failed_login_count == 3
    check_password(parts.database, user_id, WORDS)
    after = the_user(parts, user_id)
    assert (after.failed_login_count, after.password) == (0, before)
    with pytest.raises(NotFoundProblemError):
        check_password(parts.database, uuid4(), WORDS)


def test_an_old_hash_is_replaced_at_sign_in_and_not_before(parts: Parts) -> None:
    old = bcrypt.hashpw(WORDS.encode(), bcrypt.gensalt(4)).decode()
    user_id = user_with(parts, old)
    changed_at = the_user(parts, user_id).password_changed_at
    with pytest.raises(IncorrectPasswordError):
        check_password(parts.database, user_id, "wrong")
    assert the_user(parts, user_id).password == old
    check_password(parts.database, user_id, WORDS)
    user = the_user(parts, user_id)
    assert user.password.startswith("$argon2id$")
    assert user.password_changed_at == changed_at  # links of a reset stay good
    check_password(parts.database, user_id, WORDS)


def test_an_old_hash_is_of_the_first_72_bytes(parts: Parts) -> None:
    words = "ä" * 50
    user_id = user_with(parts, bcrypt.hashpw(words.encode()[:72], bcrypt.gensalt(4)).decode())
    check_password(parts.database, user_id, words)
    with pytest.raises(IncorrectPasswordError):
        check_password(parts.database, user_id, words + "!")  # all of it counts from now on


@pytest.mark.parametrize("damaged", ["", "$2b$", "$2b$04$tooshort", "$argon2id$nonsense", "plain"])
def test_a_damaged_hash_matches_no_password(parts: Parts, damaged: str) -> None:
    user_id = user_with(parts, damaged)
    with pytest.raises(IncorrectPasswordError):
        check_password(parts.database, user_id, damaged)
