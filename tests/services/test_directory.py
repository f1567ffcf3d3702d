"""The cache of services."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from sqlalchemy import event

from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.services.cache import ServiceCache
from notify.services.senders import add_reply_to, update_reply_to
from notify.services.service import update_service
from tests.services.factory import a_service


def test_threads_that_miss_at_the_same_time_share_one_look(own_parts: Parts) -> None:
    with own_parts.database.transaction() as session:
        service_id = a_service(session).id
    directory = ServiceCache(own_parts.database, own_parts.encryptor)
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(own_parts.database.engine, "before_cursor_execute", note)
    directory.get(service_id)
    alone = len(statements)
    directory.clear()
    statements.clear()
    together = Barrier(12)

    def ask(_number: int) -> str:
        together.wait()
        found = directory.get(service_id)
        assert found is not None
        return found.name

    with ThreadPoolExecutor(12) as pool:
        names = set(pool.map(ask, range(12)))
    event.remove(own_parts.database.engine, "before_cursor_execute", note)
    assert len(names) == 1
    assert len(statements) == alone


def test_what_is_not_there_is_null(parts: Parts) -> None:
    directory = ServiceCache(parts.database, parts.encryptor)
    assert directory.get(new_id()) is None
    assert directory.sms_sender(new_id(), new_id()) is None
    assert directory.reply_to(new_id(), new_id()) is None


def test_a_forgotten_service_is_read_again(own_parts: Parts) -> None:
    with own_parts.database.transaction() as session:
        service_id, other_id = a_service(session).id, a_service(session).id
        reply_to = add_reply_to(session, service_id, "oak@example.gov.uk", is_default=True).id
    cache = ServiceCache(own_parts.database, own_parts.encryptor)
    before = cache.get(other_id)
    assert cache.get(service_id) is not None
    assert cache.reply_to(service_id, reply_to) == "oak@example.gov.uk"
    with own_parts.database.transaction() as session:
        update_service(session, service_id, name="Another name")
        update_service(session, other_id, name="The name of the other one")
        update_reply_to(session, service_id, reply_to, "ash@example.gov.uk", is_default=True)
    cache.forget(service_id)
    changed = cache.get(service_id)
    assert changed is not None
    assert changed.name == "Another name"
    assert cache.reply_to(service_id, reply_to) == "ash@example.gov.uk"
    assert cache.get(other_id) is before
