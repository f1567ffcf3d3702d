"""Only stored messages use up the limit of a day."""

from __future__ import annotations

import pytest

from notify.infra.database import Database, UnreachableError
from notify.infra.parts import Parts
from notify.messages.store import MessageStore
from notify.services.limits import RateLimiter, TooManyRequestsError, counter_key
from tests.messages.test_store import FREE, SERVICE, message
from tests.servers.proxy import before_postgres

TWO = FREE._replace(daily_limit=2)


def counted(parts: Parts, kind: str = "sms") -> bytes | None:
    return parts.cache.get(counter_key(SERVICE, "normal", kind))


@pytest.fixture
def parts(own_parts: Parts) -> Parts:
    """Messages are stored over a second connection, too."""
    return own_parts


@pytest.fixture(autouse=True)
def fresh_day(parts: Parts) -> None:
    parts.cache.delete(counter_key(SERVICE, "normal", "sms"), counter_key(SERVICE, "normal", "international_sms"))


def test_a_message_that_the_database_refuses_gives_its_place_back(parts: Parts) -> None:
    store = MessageStore(parts.database, RateLimiter(parts.cache, rate_limit_enabled=True), lambda _: None)
    with pytest.raises(Exception, match="status"):
        store.store(message(notification_status="unheard-of"), TWO)
    assert counted(parts) == b"0"
    store.store(message(), TWO)
    store.store(message(), TWO)
    with pytest.raises(TooManyRequestsError):
        store.store(message(), TWO)
    assert counted(parts) == b"2"


def test_while_the_database_is_away_nothing_is_used_up(parts: Parts) -> None:
    with before_postgres(parts.settings.sqlalchemy_database_uri) as (way, url):
        database = Database(url)
        store = MessageStore(database, RateLimiter(parts.cache, rate_limit_enabled=True), lambda _: None)
        way.proxy.mode = "refuse"
        for _ in range(3):
            with pytest.raises(UnreachableError):
                store.store(message(), TWO)
        way.proxy.mode = "forward"
        store.store(message(), TWO)
        assert counted(parts) == b"1"
        database.close()


def test_messages_that_are_stored_without_a_look_are_counted(parts: Parts) -> None:
    store = MessageStore(parts.database, RateLimiter(parts.cache, rate_limit_enabled=True), lambda _: None)
    store.store_many([message(phone_prefix="44"), message(phone_prefix="20"), message(key_type="test")])
    assert (counted(parts), counted(parts, "international_sms")) == (b"2", b"1")
