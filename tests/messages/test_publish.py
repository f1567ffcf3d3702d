"""Publishing tasks: they are kept while the broker is down, and do not delay requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest
import redis

from notify.infra.parts import Parts
from notify.infra.queue import TaskName
from notify.messages import publish
from notify.messages.publish import DeliveryPublisher
from notify.messages.store import NewMessage
from tests.api import queued, with_settings
from tests.messages.test_store import message
from tests.servers.proxy import ProxyThread, before_valkey


@pytest.fixture
def way(parts: Parts) -> Iterator[tuple[ProxyThread, Parts]]:
    """The way to the broker, and parts that take it."""
    with before_valkey(parts.settings.redis_url) as (way, url):
        cut_off = with_settings(parts, broker_url=url)
        yield way, cut_off
        cut_off.close()


def publisher(parts: Parts) -> DeliveryPublisher:
    return DeliveryPublisher(parts.queue)


def wait_for(what: Callable[[], Any], seconds: float = 20.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return found


def published(parts: Parts, wanted: int) -> set[str]:
    """What is published until there are so many."""
    ids: set[str] = set()

    def enough() -> bool:
        ids.update(id_ for _, arguments in queued(parts) for id_ in arguments[0])
        return len(ids) >= wanted

    wait_for(enough)
    return ids


def texts(ids: list[UUID]) -> set[str]:
    return {str(id_) for id_ in ids}


def test_hints_are_kept_while_the_broker_is_down(parts: Parts, way: tuple[ProxyThread, Parts]) -> None:
    proxy, cut_off = way
    told = publisher(cut_off)
    given = [message() for _ in range(120)]
    told.stored(given[:10])
    assert published(parts, 10) == texts([one.id for one in given[:10]])
    proxy.proxy.mode = "refuse"
    proxy.cut()
    began = time.monotonic()
    told.stored(given[10:60])
    assert time.monotonic() - began < 1  # nobody waits for the broker
    time.sleep(1)
    told.stored([*given[60:], message(notification_type="email")])
    time.sleep(1)
    assert queued(parts) == []
    proxy.proxy.mode = "forward"
    assert texts([one.id for one in given[10:]]) < published(parts, 111)
    told.close()


def test_only_so_many_hints_are_kept(
    parts: Parts, way: tuple[ProxyThread, Parts], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish, "MOST_KEPT", 5)
    proxy, cut_off = way
    proxy.proxy.mode = "refuse"
    told = publisher(cut_off)
    given = [message() for _ in range(20)]
    told.stored(given)
    wait_for(lambda: sum(len(ids) for ids in told._unpublished.values()) == 5)
    proxy.proxy.mode = "forward"
    assert published(parts, 5) == texts([one.id for one in given[-5:]])
    told.close()


def test_a_broker_without_memory_is_a_broker_that_is_down(parts: Parts) -> None:
    with redis.Redis.from_url(parts.settings.redis_url) as valkey:
        told, given = publisher(parts), message()
        valkey.config_set("maxmemory", 1)
        try:
            assert not parts.queue.publish(TaskName("deliver_sms"), [[]], queue="send-sms-tasks")
            told.stored([given])
            time.sleep(0.5)
        finally:
            valkey.config_set("maxmemory", 0)
        assert published(parts, 1) == {str(given.id)}
        told.close()


def test_what_is_final_is_counted_and_not_published(parts: Parts) -> None:
    told = publisher(parts)
    told.stored([message(notification_status="delivered")])
    told.close()
    assert queued(parts) == []


def letter(**changes: Any) -> NewMessage:
    return message(notification_type="letter", **changes)


def test_letters_of_templates_are_published_one_by_one(parts: Parts) -> None:
    told = publisher(parts)
    waiting = [letter(), letter()]
    tried_out = [
        letter(key_type="test", notification_status="delivered"),
        letter(key_type="test", notification_status="sending"),
    ]
    others = [
        letter(notification_status="pending-virus-check"),
        letter(key_type="test", notification_status="pending-virus-check"),
        letter(notification_status="validation-failed"),
        letter(billable_units=1),  # uploaded: it has its PDF
    ]
    told.stored([*waiting, *tried_out, *others])
    told.close()
    name = "get-pdf-for-templated-letter"
    assert queued(parts, "create-letters-pdf-tasks") == [(name, [str(one.id)]) for one in waiting]
    assert queued(parts, "research-mode-tasks") == [(name, [str(one.id)]) for one in tried_out]
