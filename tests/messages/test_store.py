from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from notify.infra.database import Database, UnreachableError
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.messages.idempotency import AlreadyAcceptedError, KeptAnswer
from notify.messages.store import Admission, MessageStore, NewMessage
from notify.services.limits import LimitRequest, RateLimiter, TooManyRequestsError
from tests.servers.proxy import before_postgres

SERVICE = new_id()
FREE = LimitRequest(SERVICE, "normal", "sms", 0, 10**9)


def message(**changes: Any) -> NewMessage:
    plain = NewMessage(
        id=new_id(),
        to=b"\x00\x01\\x",
        service_id=SERVICE,
        template_id=new_id(),
        template_version=1,
        personalisation=None,
        api_key_id=None,
        key_type="normal",
        notification_type="sms",
        created_at=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC),
        notification_status="created",
    )
    return plain._replace(**changes)


@pytest.fixture
def parts(own_parts: Parts) -> Parts:
    """Messages are stored by several threads, and over connections that break."""
    return own_parts


@pytest.fixture
def told() -> list[NewMessage]:
    return []


@pytest.fixture
def store(parts: Parts, told: list[NewMessage]) -> MessageStore:
    def stored(messages: Sequence[NewMessage]) -> None:
        told.extend(messages)

    return MessageStore(parts.database, RateLimiter(parts.cache, rate_limit_enabled=True), stored)


def rows(parts: Parts, query: str) -> list[tuple[Any, ...]]:
    with parts.database.connection() as connection:
        return connection.execute(query.encode()).fetchall()


def test_what_is_stored_is_what_was_given(parts: Parts, store: MessageStore, told: list[NewMessage]) -> None:
    given = message(client_reference="ref", international=True, rate_multiplier=7, personalisation=b"\xff")
    store.store(given, FREE)
    assert told == [given]
    ((to, created_at, reference, international, multiplier, personalisation, nothing),) = rows(
        parts,
        'SELECT "to", created_at, client_reference, international, rate_multiplier, _personalisation, job_id'
        " FROM notifications",
    )
    assert (bytes(to), created_at, reference) == (given.to, given.created_at, "ref")
    assert (international, multiplier, bytes(personalisation), nothing) == (True, 7, b"\xff", None)


@settings(max_examples=60, suppress_health_check=list(HealthCheck), deadline=None)
@given(st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])))
def test_any_text_is_stored_to_the_letter(parts: Parts, store: MessageStore, text: str) -> None:
    given = message(client_reference=text)
    store.store(given, FREE)
    with parts.database.connection() as connection:
        row = connection.execute("SELECT client_reference FROM notifications WHERE id = %s", (given.id,)).fetchone()
    assert row == (text,)


@pytest.mark.parametrize("text", ["\\N", "\\.", "a\tb\nc\rd", "\\\\", "'\"", "{}", "\u2028"])
def test_texts_that_copy_might_misread(parts: Parts, store: MessageStore, text: str) -> None:
    store.store(message(client_reference=text), FREE)
    assert rows(parts, "SELECT client_reference FROM notifications") == [(text,)]


def test_many_at_once_are_all_stored_once(parts: Parts, store: MessageStore, told: list[NewMessage]) -> None:
    given = [message() for _ in range(200)]
    threads = [threading.Thread(target=store.store, args=(one, FREE)) for one in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rows(parts, "SELECT count(*) FROM notifications") == [(200,)]
    assert {one.id for one in told} == {one.id for one in given}


def test_a_bad_row_fails_alone(parts: Parts, store: MessageStore, told: list[NewMessage]) -> None:
    good = [message() for _ in range(3)]
    bad = [message(client_reference="a\0b"), message(notification_status="unheard-of"), good[0]]
    store.store(good[0], FREE)
    results = store._admit([Admission(one, FREE) for one in [bad[0], good[1], bad[1], good[2], bad[2]]])
    assert [type(result).__name__ for result in results] == [
        "CharacterNotInRepertoire",
        "NoneType",
        "CheckViolation",
        "NoneType",
        "UniqueViolation",
    ]
    assert rows(parts, "SELECT count(*) FROM notifications") == [(3,)]
    assert {one.id for one in told} == {one.id for one in good}


def test_what_the_limits_refuse_is_not_stored(parts: Parts, store: MessageStore) -> None:
    with pytest.raises(TooManyRequestsError):
        store.store(message(), FREE._replace(daily_limit=0))
    assert rows(parts, "SELECT count(*) FROM notifications") == [(0,)]


def test_a_restarted_database_costs_nothing(parts: Parts, store: MessageStore) -> None:
    store.store(message(), FREE)
    with psycopg.connect(parts.settings.sqlalchemy_database_uri, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
    store.store(message(), FREE)
    assert rows(parts, "SELECT count(*) FROM notifications") == [(2,)]


def test_all_or_none(parts: Parts, store: MessageStore) -> None:
    with pytest.raises(psycopg.Error):
        store.store_many([message(), message(notification_status="x")])
    assert rows(parts, "SELECT count(*) FROM notifications") == [(0,)]
    store.store_many([message(), message()])
    assert rows(parts, "SELECT count(*) FROM notifications") == [(2,)]


@pytest.mark.parametrize("answers", [0, 1], ids=["before the rows were sent", "after the commit"])
def test_a_connection_that_breaks_loses_and_doubles_nothing(parts: Parts, told: list[NewMessage], answers: int) -> None:
    with before_postgres(parts.settings.sqlalchemy_database_uri) as (way, url):
        database = Database(url)
        store = MessageStore(database, RateLimiter(parts.cache, rate_limit_enabled=True), told.extend)
        store.store(message(), FREE)
        way.proxy.answers_left = answers
        given = message()
        store.store(given, FREE)
        assert way.proxy.answers_left is None
        assert rows(parts, "SELECT count(*), count(DISTINCT id) FROM notifications") == [(2, 2)]
        assert told[1:] == [given]
        database.close()


def test_a_bad_row_fails_alone_also_when_the_connection_breaks(parts: Parts) -> None:
    with before_postgres(parts.settings.sqlalchemy_database_uri) as (way, url):
        database = Database(url)
        store = MessageStore(database, RateLimiter(parts.cache, rate_limit_enabled=True), lambda _: None)
        store.store(message(), FREE)
        way.proxy.answers_left = 0
        results = store._admit([Admission(message(), FREE), Admission(message(notification_status="unheard-of"), FREE)])
        assert [type(result).__name__ for result in results] == ["NoneType", "CheckViolation"]
        assert rows(parts, "SELECT count(*) FROM notifications") == [(2,)]
        database.close()


def test_a_database_that_is_away_is_a_quick_no(parts: Parts, told: list[NewMessage]) -> None:
    with before_postgres(parts.settings.sqlalchemy_database_uri) as (way, url):
        database = Database(url)
        store = MessageStore(database, RateLimiter(parts.cache, rate_limit_enabled=True), told.extend)
        way.proxy.mode = "refuse"
        with pytest.raises(UnreachableError):
            store.store(message(), FREE)
        assert told == []
        way.proxy.mode = "forward"
        store.store(message(), FREE)
        assert rows(parts, "SELECT count(*) FROM notifications") == [(1,)]
        database.close()


def test_of_two_with_one_idempotency_key_in_a_batch_the_first_is_stored(
    parts: Parts, store: MessageStore, told: list[NewMessage]
) -> None:
    kept = KeptAnswer(uuid4(), datetime(2026, 1, 2, tzinfo=UTC), b"answer")
    first, second, other = message(), message(), message()
    results = store._admit(
        [Admission(first, FREE, kept), Admission(other, FREE), Admission(second, FREE, kept._replace(answer=b"x"))]
    )
    assert [type(result).__name__ for result in results] == ["NoneType", "NoneType", "AlreadyAcceptedError"]
    assert told == [first, other]
    assert rows(parts, "SELECT id, answer FROM idempotency_keys") == [(kept.key_id, b"answer")]
    with pytest.raises(AlreadyAcceptedError):
        store.keep(kept)


def test_a_message_that_cannot_be_stored_takes_no_key(parts: Parts, store: MessageStore) -> None:
    kept = KeptAnswer(uuid4(), datetime(2026, 1, 2, tzinfo=UTC), b"answer")
    bad, good = message(notification_status="unheard-of"), message()
    results = store._admit([Admission(bad, FREE, kept), Admission(good, FREE, kept._replace(key_id=uuid4()))])
    assert [type(result).__name__ for result in results] == ["CheckViolation", "NoneType"]
    store.store(message(), FREE, kept)
    assert rows(parts, "SELECT count(*) FROM notifications") == [(2,)]
    assert rows(parts, "SELECT count(*) FROM idempotency_keys") == [(2,)]
