"""The results of sent messages are never lost, even while the database or a provider fails."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from aiohttp import web

from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.messages import maintenance
from notify.messages.deliver import Deliverer
from notify.messages.models import PERSONALISATION
from notify.messages.publish import DeliveryPublisher
from tests.api import Api, queued, with_settings
from tests.messages.test_deliver import Worker, worker
from tests.servers.http import Trouble
from tests.servers.ses import SESServer, set_credentials

__all__ = ["worker"]

LOCKS = """
SELECT pid FROM pg_locks WHERE locktype = 'advisory'
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


@contextmanager
def database_setting(parts: Parts, name: str, value: str) -> Iterator[None]:
    """A setting of the database that new sessions get."""
    url = parts.settings.sqlalchemy_database_uri
    with psycopg.connect(url, dbname="postgres", autocommit=True) as connection:
        database = url.partition("?")[0].rsplit("/", 1)[1]
        connection.execute(f'ALTER DATABASE "{database}" SET {name} = {value}'.encode())
        yield
        connection.execute(f'ALTER DATABASE "{database}" RESET {name}'.encode())


def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def sent(worker: Worker, number: int) -> list[UUID]:
    ids = [worker.api.sent() for _ in range(number)]
    worker.api.container.get(DeliveryPublisher).close()
    queued(worker.api.parts)
    return ids


def begin(worker: Worker, ids: list[UUID]) -> threading.Thread:
    """Deliver in the background."""
    thread = threading.Thread(target=worker.deliverer.deliver, args=("sms", ids))
    thread.start()
    return thread


def calls(worker: Worker) -> int:
    return worker.mmg.received + worker.firetext.received


def taken(worker: Worker) -> Counter[str]:
    return Counter([m["cid"] for m in worker.mmg.messages] + [m["reference"] for m in worker.firetext.messages])


def statuses(api: Api, ids: list[UUID]) -> Counter[str]:
    return Counter(
        row[0] for row in api.execute("SELECT notification_status FROM notifications WHERE id = ANY(%s)", ids)
    )


def slow(worker: Worker, seconds: float) -> None:
    for server in (worker.mmg, worker.firetext):
        server.fail(Trouble(delay=seconds))


def test_a_database_that_only_reads_gets_the_results_when_it_writes_again(worker: Worker) -> None:
    slow(worker, 1.0)
    other, *ids = sent(worker, 21)
    thread = begin(worker, ids)
    until(lambda: calls(worker) == 20)
    with database_setting(worker.api.parts, "default_transaction_read_only", "on"):
        worker.container.parts.database.close()  # the pool leads to the reader from now on
        time.sleep(2.0)
        assert thread.is_alive()
        # nothing is handed over that could not be written down
        worker.deliverer.deliver("sms", [*ids, other])
        assert calls(worker) == 20
    thread.join()
    assert statuses(worker.api, ids) == {"sending": 20}
    assert taken(worker) == dict.fromkeys(map(str, ids), 1)


def test_a_database_that_only_reads_lets_nothing_out(worker: Worker) -> None:
    ids = sent(worker, 5)
    with database_setting(worker.api.parts, "default_transaction_read_only", "on"):
        worker.container.parts.database.close()
        worker.deliverer.deliver("sms", ids)
    assert calls(worker) == 0
    [(task, [texts, *rest])] = queued(worker.container.parts)
    assert (task, sorted(texts)) == ("deliver_sms", sorted(map(str, ids)))
    worker.deliverer.deliver("sms", ids, *rest)
    assert statuses(worker.api, ids) == {"sending": 5}


@pytest.mark.parametrize("setting", ["idle_in_transaction_session_timeout", "transaction_timeout"])
def test_limits_of_the_server_do_not_break_the_locks(worker: Worker, setting: str) -> None:
    slow(worker, 1.5)
    with database_setting(worker.api.parts, setting, "'400ms'"):
        worker.container.parts.database.close()
        ids = sent(worker, 5)
        thread = begin(worker, ids)
        until(lambda: calls(worker) == 5)
        holders = set(worker.api.execute(LOCKS))
        assert holders
        time.sleep(1.0)
        assert set(worker.api.execute(LOCKS)) == holders
        thread.join()
    assert statuses(worker.api, ids) == {"sending": 5}
    assert taken(worker) == dict.fromkeys(map(str, ids), 1)


def test_a_batch_that_lost_its_locks_sends_nothing_more(worker: Worker) -> None:
    """And what it handed over before is written down."""
    parts = with_settings(worker.container.parts, provider_connections=2)
    few = replace(worker, container=Container(parts))
    slow(worker, 1.0)
    ids = sent(worker, 40)
    thread = begin(few, ids)
    until(lambda: calls(worker) >= 4)
    holders = [row[0] for row in worker.api.execute(LOCKS)]
    worker.api.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", holders)
    thread.join()
    handed_over = {UUID(id_) for id_ in taken(worker)}
    assert 4 <= len(handed_over) < 20
    assert statuses(worker.api, list(handed_over)) == {"sending": len(handed_over)}
    rest = [id_ for id_ in ids if id_ not in handed_over]
    assert statuses(worker.api, rest) == {"created": len(rest)}
    assert sorted(id_ for _, (texts, *_) in queued(parts) for id_ in texts) == sorted(map(str, rest))
    slow(worker, 0)
    few.container.close()
    worker.deliverer.deliver("sms", ids)
    assert taken(worker) == dict.fromkeys(map(str, ids), 1)


class BadSESServer(SESServer):
    """Names one of the emails in a way that no database can store."""

    reference = "x\u0000"

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = await super().answer(request)
        if self.messages and self.messages[-1]["Destination"]["ToAddresses"] == ["bad7@example.com"]:
            return web.json_response({"MessageId": self.reference})
        return answer


@pytest.mark.parametrize("reference", ["x\u0000", "".join(chr(0x4E00 + n) for n in range(9000))])
def test_an_answer_that_the_database_refuses_affects_no_others(
    api: Api, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    set_credentials(monkeypatch)
    with BadSESServer() as server:
        server.reference = reference
        container = Container(with_settings(api.parts, ses_enabled=True, ses_url=server.url, sandbox_url=""))
        ids = [api.sent("email", email_address=f"bad{number}@example.com") for number in range(12)]
        container.get(Deliverer).deliver("email", ids)
        container.get(Deliverer).deliver("email", ids)
        container.close()
    rows = api.execute("SELECT id, notification_status, sent_by, reference FROM notifications WHERE id = ANY(%s)", ids)
    assert {row[1:3] for row in rows} == {("sending", "ses")}
    assert [row[0] for row in rows if row[3] is None] == [ids[7]]
    assert len(server.messages) == 12


# -- messages that workers die of


def died(api: Api, ids: list[UUID]) -> None:
    """A worker died with these in hand: its note is left, and nobody has the lock of it."""
    api.execute("INSERT INTO delivery_batches VALUES (%s, now(), %s)", new_id(), ids)


def test_what_a_dead_worker_had_in_hand_is_counted_once(worker: Worker) -> None:
    ids = sent(worker, 3)
    died(worker.api, ids[:2])
    database = worker.api.parts.database
    assert maintenance.count_interrupted(database) == 2
    assert maintenance.count_interrupted(database) == 0
    rows = dict(worker.api.execute("SELECT id, interrupted FROM notifications WHERE id = ANY(%s)", ids))
    assert [rows[id_] for id_ in ids] == [1, 1, 0]


def test_what_a_living_worker_has_in_hand_is_not_counted(worker: Worker) -> None:
    slow(worker, 1.0)
    ids = sent(worker, 5)
    thread = begin(worker, ids)
    until(lambda: calls(worker) == 5)
    assert worker.api.execute("SELECT count(*) FROM delivery_batches") == [(1,)]
    assert maintenance.count_interrupted(worker.api.parts.database) == 0
    thread.join()
    assert worker.api.execute("SELECT count(*) FROM delivery_batches") == [(0,)]


def test_a_message_that_workers_die_of_is_given_up_and_no_other(worker: Worker) -> None:
    ids = sent(worker, 30)
    for _ in range(5):
        died(worker.api, ids[:1])
        maintenance.count_interrupted(worker.api.parts.database)
    died(worker.api, ids[1:25])
    # a worker that starts looks at what was left first
    worker.deliverer.deliver("sms", ids)
    assert worker.status(ids[0]) == "technical-failure"
    assert statuses(worker.api, ids[1:]) == {"sending": 29}
    assert taken(worker) == dict.fromkeys(map(str, ids[1:]), 1)


def test_large_messages_go_out_as_well(worker: Worker) -> None:
    ids = sent(worker, 6)
    values = {"name": "Amala", "date": "Monday", "junk": "x" * 9_000_000}
    for id_ in ids[:3]:
        large = worker.api.parts.encryptor.encrypt_json(values, PERSONALISATION, id_)
        worker.api.execute("UPDATE notifications SET _personalisation = %s WHERE id = %s", large, id_)
    worker.deliverer.deliver("sms", ids)
    assert statuses(worker.api, ids) == {"sending": 6}
    assert taken(worker) == dict.fromkeys(map(str, ids), 1)


# -- messages that are too old


def age(api: Api, ids: list[UUID], interval: str) -> None:
    api.execute("UPDATE notifications SET created_at = now() - %s::interval WHERE id = ANY(%s)", interval, ids)


def test_by_default_an_old_message_is_sent(worker: Worker) -> None:
    ids = sent(worker, 1)
    age(worker.api, ids, "6 days")
    worker.deliverer.deliver("sms", ids)
    assert statuses(worker.api, ids) == {"sending": 1}


def test_a_message_past_its_expiry_is_not_sent(worker: Worker) -> None:
    template = UUID(worker.api.template("sms"))
    ids = sent(worker, 2)
    age(worker.api, ids[:1], "61 seconds")
    for changes in ({"message_expiry_seconds": 60}, {"message_expiry_seconds_by_template": {template: 60}}):
        container = Container(with_settings(worker.container.parts, **changes))
        container.get(Deliverer).deliver("sms", ids)
        container.close()
        assert [worker.status(id_) for id_ in ids] == ["technical-failure", "sending"]
        worker.api.execute("UPDATE notifications SET notification_status = 'created' WHERE id = ANY(%s)", ids)
    assert str(ids[0]) not in taken(worker)


def test_a_message_that_expires_while_all_providers_are_down_ends(worker: Worker) -> None:
    container = Container(with_settings(worker.container.parts, message_expiry_seconds=60, delivery_retry_seconds=300))
    for server in (worker.mmg, worker.firetext):
        server.fail(Trouble(status=500))
    ids = sent(worker, 12)
    container.get(Deliverer).deliver("sms", ids)
    age(worker.api, ids, "61 seconds")
    for _, (texts, *rest) in queued(worker.container.parts):
        container.get(Deliverer).deliver("sms", [UUID(text) for text in texts], *rest)
    container.close()
    assert statuses(worker.api, ids) == {"technical-failure": 12}


def test_a_message_that_could_not_be_sent_for_a_week_ends(worker: Worker) -> None:
    ids = sent(worker, 3)
    age(worker.api, ids[:2], "7 days 1 minute")
    age(worker.api, ids[2:], "6 days 23 hours")
    slow(worker, 1.0)
    thread = begin(worker, ids[1:2])
    until(lambda: calls(worker) == 1)
    # one that is in somebody's hands is left alone
    assert maintenance.end_forgotten(worker.api.parts.database, now=utc_now()) == [ids[0]]
    thread.join()
    assert [worker.status(id_) for id_ in ids] == ["technical-failure", "sending", "created"]
    assert maintenance.end_forgotten(worker.api.parts.database, now=utc_now() + timedelta(minutes=5)) == []
