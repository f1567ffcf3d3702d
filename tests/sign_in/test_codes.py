"""Sign-in codes: created, used once, counted, deleted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from notify.accounts.models import User
from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError
from notify.infra.parts import Parts
from notify.sign_in.codes import (
    CodeDigests,
    delete_old_codes,
    has_too_many_codes,
    new_text_code,
    save_code,
    sign_in_with_code,
)
from notify.sign_in.errors import CodeExpiredError, CodeNotFoundError
from notify.sign_in.models import VerifyCode
from tests.services.factory import a_user

NOON = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
DIGESTS = CodeDigests(["old secret", "new secret"])


@pytest.fixture
def user_id(parts: Parts) -> UUID:
    with parts.database.transaction() as session:
        return a_user(session).id


@pytest.fixture
def container(parts: Parts) -> Iterator[Container]:
    container = Container(parts)
    yield container
    container.close()


def send(parts: Parts, user_id: UUID, code: str, now: datetime = NOON, digests: CodeDigests = DIGESTS) -> None:
    with parts.database.transaction() as session:
        save_code(session, digests, user_id, "sms", code, now)


def use(parts: Parts, user_id: UUID, code: str, now: datetime = NOON, code_type: str = "sms") -> None:
    sign_in_with_code(parts.database, DIGESTS, user_id, code_type, code, now)


def the_user(parts: Parts, user_id: UUID) -> User:
    with parts.database.session() as session:
        return session.get_one(User, user_id)


def test_text_codes_have_five_digits_without_equal_neighbours() -> None:
    made = {new_text_code() for _ in range(500)}
    assert len(made) > 400
    for code in made:
        assert len(code) == 5
        assert code.isdigit()
        assert all(first != second for first, second in itertools.pairwise(code))


def test_a_code_signs_in_once(parts: Parts, user_id: UUID) -> None:
    send(parts, user_id, "12345")
    use(parts, user_id, "12345", NOON + timedelta(minutes=29))
    user = the_user(parts, user_id)
    assert (user.logged_in_at, user.failed_login_count) == (NOON + timedelta(minutes=29), 0)
    assert user.current_session_id is not None
    with pytest.raises(CodeExpiredError):
        use(parts, user_id, "12345", NOON + timedelta(minutes=29))
    assert the_user(parts, user_id).failed_login_count == 1


def test_a_code_expires_after_half_an_hour(parts: Parts, user_id: UUID) -> None:
    send(parts, user_id, "12345")
    with pytest.raises(CodeExpiredError):
        use(parts, user_id, "12345", NOON + timedelta(minutes=30))
    assert the_user(parts, user_id).current_session_id is None


def test_the_newest_of_equal_codes_counts(parts: Parts, user_id: UUID) -> None:
    send(parts, user_id, "12345", NOON - timedelta(hours=2))
    send(parts, user_id, "12345", NOON)
    use(parts, user_id, "12345")


def test_a_code_of_somebody_else_or_of_another_type_is_not_found(parts: Parts, user_id: UUID) -> None:
    with parts.database.transaction() as session:
        other = a_user(session).id
    send(parts, user_id, "12345")
    with pytest.raises(CodeNotFoundError):
        use(parts, other, "12345")
    with pytest.raises(CodeNotFoundError):
        use(parts, user_id, "12345", code_type="email")
    with pytest.raises(NotFoundProblemError, match="No result found"):
        use(parts, user_id, "12345", code_type="pigeon")
    with pytest.raises(NotFoundProblemError, match="No result found"):
        use(parts, uuid4(), "12345")
    assert the_user(parts, user_id).failed_login_count == 1


def test_ten_failures_lock_the_user_out_until_the_count_is_set_back(parts: Parts, user_id: UUID) -> None:
    send(parts, user_id, "12345")
    for _ in range(12):
        with pytest.raises(CodeNotFoundError):
            use(parts, user_id, "54321")
    with pytest.raises(CodeNotFoundError):
        use(parts, user_id, "12345")
    assert the_user(parts, user_id).failed_login_count == 10
    with parts.database.transaction() as session:
        session.get_one(User, user_id).failed_login_count = 0
    use(parts, user_id, "12345")


def test_attempts_at_the_same_time_are_all_counted(parts: Parts, user_id: UUID) -> None:
    def attempt(code: str) -> bool:
        try:
            use(parts, user_id, code)
        except CodeNotFoundError:
            return False
        return True

    send(parts, user_id, "12345")
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(attempt, [f"{number:05d}" for number in range(30)]))
    assert not any(results)
    assert the_user(parts, user_id).failed_login_count == 10
    with parts.database.transaction() as session:
        session.get_one(User, user_id).failed_login_count = 0
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(_succeeds, [(parts, user_id)] * 6))
    assert results.count(True) == 1


def _succeeds(given: tuple[Parts, UUID]) -> bool:
    try:
        use(*given, "12345")
    except (CodeExpiredError, CodeNotFoundError):
        return False
    return True


def test_codes_are_kept_as_digests_and_survive_a_change_of_keys(parts: Parts, user_id: UUID) -> None:
    send(parts, user_id, "12345", digests=CodeDigests(["old secret"]))
    with parts.database.session() as session:
        kept = session.scalars(select(VerifyCode.code).where(VerifyCode.user_id == user_id)).one()
    assert "12345" not in kept
    use(parts, user_id, "12345")


def test_no_more_than_five_codes_are_open(parts: Parts, user_id: UUID) -> None:
    for number in range(5):
        with parts.database.session() as session:
            assert not has_too_many_codes(session, user_id, NOON)
        send(parts, user_id, f"1234{number}")
    with parts.database.session() as session:
        assert has_too_many_codes(session, user_id, NOON + timedelta(minutes=29))
        assert not has_too_many_codes(session, user_id, NOON + timedelta(minutes=30))
    use(parts, user_id, "12340")
    with parts.database.session() as session:
        assert not has_too_many_codes(session, user_id, NOON)


def test_codes_are_deleted_after_a_day(parts: Parts, user_id: UUID) -> None:
    send(parts, user_id, "12345", NOON - timedelta(hours=25))
    send(parts, user_id, "12346", NOON - timedelta(hours=23))
    assert delete_old_codes(parts.database, NOON) == 1
    assert delete_old_codes(parts.database, NOON) == 0
    with pytest.raises(CodeExpiredError):
        use(parts, user_id, "12346")


def test_any_text_may_be_given_for_a_code(parts: Parts, user_id: UUID, container: Container) -> None:
    digests = container.get(CodeDigests)
    for code in ("", "\ud800", "x" * 10_000):
        with pytest.raises(CodeNotFoundError):
            sign_in_with_code(parts.database, digests, user_id, "sms", code, NOON)
