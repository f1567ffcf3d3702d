from __future__ import annotations

from datetime import timedelta

from notify.infra.times import utc_now
from notify.webhooks.models import PAYLOAD
from notify.webhooks.outbox import NewCallback, Outbox, sweep
from tests.api import queued
from tests.messages.test_plans import scans
from tests.servers.receiver import Receiver
from tests.webhooks.conftest import Callbacks

DAY = timedelta(days=1)


def test_only_services_with_a_callback_get_rows(callbacks: Callbacks) -> None:
    wanting = callbacks.service("http://127.0.0.1:9")
    other = callbacks.service("http://127.0.0.1:9", "inbound_sms")
    callbacks.record(other)
    assert callbacks.pending() == []
    (id_,) = callbacks.record(wanting)
    assert callbacks.pending("subject_id") == [id_]
    (payload,), (row_id,) = callbacks.pending("payload"), callbacks.pending("id")
    assert callbacks.parts.encryptor.decrypt(payload, PAYLOAD, row_id) == f'{{"id":"{id_}"}}'
    assert str(id_).encode() not in payload


def test_what_is_written_down_already_is_left_alone(callbacks: Callbacks) -> None:
    service = callbacks.service("http://127.0.0.1:9")
    (id_,) = callbacks.record(service)
    before = callbacks.pending("id")
    with callbacks.parts.database.connection() as connection:
        again = NewCallback(service, id_, {"id": "other"})
        assert callbacks.container.get(Outbox).record(connection, "delivery_status", [again]) == {service}
    assert callbacks.pending("id") == before


def test_nothing_is_written_down_of_what_is_rolled_back(callbacks: Callbacks) -> None:
    service = callbacks.service("http://127.0.0.1:9")
    try:
        with callbacks.parts.database.connection() as connection:
            callbacks.container.get(Outbox).record(connection, "delivery_status", [NewCallback(service, service, {})])
            raise KeyError
    except KeyError:
        assert callbacks.pending() == []


def test_one_task_for_all_that_waits(callbacks: Callbacks) -> None:
    service = callbacks.service("http://127.0.0.1:9")
    for _ in range(50):
        callbacks.container.get(Outbox).publish("delivery_status", [service])
    callbacks.container.get(Outbox).publish("complaint", [service])
    callbacks.container.get(Outbox).close()
    tasks = queued(callbacks.parts)
    assert ("send-complaint", [None, str(service)]) in tasks
    assert 2 <= len(tasks) < 10


def test_what_is_forgotten_is_published_again(callbacks: Callbacks) -> None:
    """As after a process was killed between its commit and its hint."""
    service = callbacks.service("http://127.0.0.1:9")
    callbacks.record(service, 3)
    database, queue, now = callbacks.parts.database, callbacks.parts.queue, utc_now()
    assert sweep(database, queue, now=now, expiry=DAY) == 0
    assert sweep(database, queue, now=now + timedelta(seconds=31), expiry=DAY) == 1
    assert queued(callbacks.parts) == [("send-delivery-status", [None, str(service)])]


def test_a_callback_that_is_never_accepted_is_given_up(callbacks: Callbacks) -> None:
    callbacks.record(callbacks.service("http://127.0.0.1:9"), 3)
    database, queue, now = callbacks.parts.database, callbacks.parts.queue, utc_now()
    assert sweep(database, queue, now=now + DAY + timedelta(seconds=1), expiry=DAY) == 0
    assert callbacks.pending() == []


def test_a_long_backlog_is_not_read_from_end_to_end(callbacks: Callbacks, receiver: Receiver) -> None:
    service = callbacks.service(receiver.url)
    with callbacks.parts.database.connection() as connection:
        connection.execute(
            "INSERT INTO pending_callbacks (id, callback_type, service_id, subject_id, payload, created_at, due_at)"
            " SELECT gen_random_uuid(), 'delivery_status', lpad(to_hex(n % 50), 32, '0')::uuid, gen_random_uuid(), 'x',"
            " now(), now() FROM generate_series(1, 20000) AS n"
        )
    with callbacks.parts.database.autocommit() as connection:
        connection.execute("ANALYZE pending_callbacks")
    before = scans(callbacks.parts, "pending_callbacks")
    callbacks.record(service, 60)
    callbacks.wake(service)
    receiver.wait_for(60)
    callbacks.wait_until(lambda: not callbacks.sender._lanes)
    assert scans(callbacks.parts, "pending_callbacks") == before
