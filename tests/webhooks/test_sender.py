"""Callbacks over real sockets: what arrives, what is tried again, and that slow services delay no others."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
import structlog.testing
from aiohttp import web
from standardwebhooks import Webhook

from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.times import utc_now
from notify.webhooks.outbox import sweep
from notify.webhooks.sender import CallbackSender
from notify.webhooks.settings import CallbackSettings
from notify.webhooks.signing import derived_secret
from tests.api import queued, with_settings
from tests.servers.certificate import trust, write_certificate
from tests.servers.http import Trouble
from tests.servers.receiver import Receiver
from tests.webhooks.conftest import TOKEN, Callbacks


def test_a_service_gets_a_callback(callbacks: Callbacks, receiver: Receiver) -> None:
    service = callbacks.service(f"{receiver.url}/told?a=b")
    (id_,) = callbacks.record(service)
    callbacks.wake(service)
    callbacks.wait_until_done()
    (call,) = receiver.calls
    assert call.path == "/told"
    assert call.headers["authorization"] == f"Bearer {TOKEN}"
    assert call.headers["content-type"] == "application/json"
    assert Webhook(derived_secret(TOKEN)).verify(call.raw, call.headers) == {"id": str(id_)}
    assert queued(callbacks.parts) == []


def test_a_signed_address_is_called_as_it_is_written(callbacks: Callbacks, monkeypatch: pytest.MonkeyPatch) -> None:
    path = "/cb?sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=a%2Fb%2Bc%3D%3D"
    paths = []

    class Signed(Receiver):
        async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
            paths.append(request.raw_path)
            return await super().answer(request)

    with Signed() as receiver:
        # and no proxy of the environment sees it
        monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
        service = callbacks.service(receiver.url + path)
        callbacks.record(service)
        callbacks.wake(service)
        callbacks.wait_until_done()
    assert paths == [path]


def test_many_callbacks_are_sent_once_each_over_few_connections(callbacks: Callbacks, receiver: Receiver) -> None:
    services = [callbacks.service(f"{receiver.url}/{number}") for number in range(3)]
    ids = [id_ for service in services for id_ in callbacks.record(service, 120)]
    threads = [Thread(target=callbacks.wake, args=(service,)) for service in services for _ in range(4)]
    for thread in threads:
        thread.start()
    callbacks.wait_until_done()
    assert sorted(call.body["id"] for call in receiver.calls) == sorted(map(str, ids))
    assert receiver.connections <= 3 * callbacks.parts.settings.part(CallbackSettings).callback_connections


def test_two_workers_share_the_work(callbacks: Callbacks, receiver: Receiver) -> None:
    other = Container(with_settings(callbacks.parts))
    service = callbacks.service(receiver.url)
    ids = callbacks.record(service, 300)
    callbacks.wake(service)
    other.get(CallbackSender).wake("delivery_status", service)
    callbacks.wait_until_done()
    other.close()
    assert sorted(call.body["id"] for call in receiver.calls) == sorted(map(str, ids))


def test_a_service_that_hangs_delays_no_other(callbacks: Callbacks, receiver: Receiver) -> None:
    """Not even one on the same host."""
    hanging, other = callbacks.service(f"{receiver.url}/hang"), callbacks.service(f"{receiver.url}/fine")
    callbacks.record(hanging, 300)
    for _ in range(200):
        callbacks.wake(hanging)
    receiver.wait_for(callbacks.parts.settings.part(CallbackSettings).callback_connections, "/hang")
    callbacks.record(other, 30)
    callbacks.wake(other)
    receiver.wait_for(30, "/fine")
    # all of them came before the hanging service had been given up on even once for each of its callbacks
    assert len(receiver.at("/hang")) < 300
    assert receiver.most_at_once <= 2 * callbacks.parts.settings.part(CallbackSettings).callback_connections


@pytest.mark.parametrize(
    "trouble",
    [Trouble(status=500), Trouble(status=503), Trouble(status=429), Trouble(drop=True), Trouble(hang=True)],
    ids=["500", "503", "429", "dropped", "hung"],
)
def test_what_fails_is_tried_again_with_the_same_id(callbacks: Callbacks, receiver: Receiver, trouble: Trouble) -> None:
    service = callbacks.service(receiver.url)
    (id_,) = callbacks.record(service)
    receiver.fail(trouble, times=1)
    callbacks.wake(service)
    callbacks.wait_until(lambda: callbacks.pending() == [1])
    callbacks.wait_until(lambda: ("send-delivery-status", [None, str(service)]) in queued(callbacks.parts))
    callbacks.wake(service)
    callbacks.wait_until_done()
    (call,) = receiver.calls
    assert call.body == {"id": str(id_)}
    assert call.headers["webhook-id"] == f"delivery_status-{id_}"


def test_retries_wait_their_time_on_a_queue_of_their_own(callbacks: Callbacks, receiver: Receiver) -> None:
    container = Container(with_settings(callbacks.parts, callback_retry_seconds=300))
    service = callbacks.service(receiver.url)
    callbacks.record(service)
    receiver.fail(Trouble(status=500))
    container.get(CallbackSender).wake("delivery_status", service)
    callbacks.wait_until(lambda: callbacks.pending() == [1])
    container.close()
    (due,) = callbacks.pending("due_at")
    assert timedelta(seconds=290) < due - utc_now() <= timedelta(seconds=300)
    with callbacks.parts.queue.celery.connection_for_read() as connection:
        name = f"{callbacks.parts.settings.notification_queue_prefix}service-callbacks-retry"
        assert connection.default_channel.client.llen(name) == 1
    callbacks.wake(service)  # too early
    time.sleep(0.3)
    assert receiver.received == 1


def test_after_so_many_tries_it_is_given_up(callbacks: Callbacks, receiver: Receiver) -> None:
    service = callbacks.service(receiver.url)
    callbacks.record(service)
    receiver.fail(Trouble(status=500))
    for attempt in (1, 2):
        callbacks.wake(service)
        callbacks.wait_until(lambda attempt=attempt: callbacks.pending() == [attempt])  # type: ignore[misc]
    callbacks.wake(service)
    callbacks.wait_until_done()
    assert receiver.received == 3


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 410])
def test_what_is_refused_is_not_tried_again(callbacks: Callbacks, receiver: Receiver, status: int) -> None:
    """Nor is a redirect followed."""
    service = callbacks.service(receiver.url)
    callbacks.record(service)
    receiver.fail(Trouble(status=status), times=1)
    callbacks.wake(service)
    callbacks.wait_until_done()
    assert receiver.received == 1


def test_a_new_address_and_token_hold_for_what_waits(callbacks: Callbacks, receiver: Receiver) -> None:
    service = callbacks.service(f"{receiver.url}/old")
    callbacks.record(service)
    with callbacks.parts.database.connection() as connection:
        connection.execute("UPDATE service_callback_api SET url = %s", (f"{receiver.url}/new",))
    callbacks.wake(service)
    assert receiver.wait_for(1)[0].path == "/new"


def test_what_is_not_wanted_any_more_is_dropped(callbacks: Callbacks, receiver: Receiver) -> None:
    service = callbacks.service(receiver.url)
    callbacks.record(service, 3)
    with callbacks.parts.database.connection() as connection:
        connection.execute("DELETE FROM service_callback_api")
    callbacks.wake(service)
    callbacks.wait_until_done()
    assert receiver.received == 0


def test_an_answer_may_be_as_long_as_it_likes(callbacks: Callbacks, receiver: Receiver) -> None:
    service = callbacks.service(f"{receiver.url}/large")
    callbacks.record(service)
    callbacks.wake(service)
    callbacks.wait_until_done()
    assert receiver.received == 1


def test_what_a_killed_worker_had_taken_falls_due_again(callbacks: Callbacks, receiver: Receiver) -> None:
    service = callbacks.service(receiver.url)
    callbacks.record(service)
    lease = timedelta(minutes=2)
    with callbacks.parts.database.connection() as connection:
        connection.execute("UPDATE pending_callbacks SET due_at = %s", (utc_now() + lease,))  # as `_TAKE` does
    callbacks.wake(service)
    time.sleep(0.2)
    assert receiver.received == 0
    database, queue = callbacks.parts.database, callbacks.parts.queue
    assert sweep(database, queue, now=utc_now() + lease, expiry=timedelta(days=1)) == 0
    assert sweep(database, queue, now=utc_now() + lease + timedelta(seconds=31), expiry=timedelta(days=1)) == 1


def test_a_worker_that_stops_finishes_its_calls_and_leaves_the_rest(callbacks: Callbacks, receiver: Receiver) -> None:
    container = Container(with_settings(callbacks.parts, callback_connections=2))
    service = callbacks.service(receiver.url)
    callbacks.record(service, 10)
    receiver.fail(Trouble(delay=0.3))
    container.get(CallbackSender).wake("delivery_status", service)
    callbacks.wait_until(lambda: receiver.at_once == 2)
    container.close()
    assert receiver.received == 2
    assert len(callbacks.pending()) == 8
    receiver.fail(None)
    callbacks.wake(service)
    callbacks.wait_until_done()
    assert receiver.received == 10


def test_calls_go_on_when_the_database_was_restarted(callbacks: Callbacks, receiver: Receiver) -> None:
    service = callbacks.service(receiver.url)
    callbacks.record(service, 5)
    receiver.fail(Trouble(delay=0.3), times=5)
    callbacks.wake(service)
    callbacks.wait_until(lambda: receiver.at_once == 5)
    with callbacks.parts.database.autocommit() as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
    callbacks.wait_until_done()
    assert receiver.received == 5


def test_guarded_calls_stay_off_private_networks(callbacks: Callbacks, receiver: Receiver) -> None:
    container = Container(with_settings(callbacks.parts, callback_guard=True, callback_retry_seconds=300))
    plain = callbacks.service(receiver.url)
    private = callbacks.service(f"https://localhost:{receiver.port}")
    for service in (plain, private):
        callbacks.record(service)
        container.get(CallbackSender).wake("delivery_status", service)
    callbacks.wait_until(lambda: callbacks.pending() == [1])
    assert callbacks.pending("service_id") == [private]  # it may lead elsewhere next time; http never will do
    container.close()
    assert receiver.connections == 0


def test_certificates_are_checked(callbacks: Callbacks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = write_certificate(tmp_path)
    with Receiver(certificate) as receiver:
        service = callbacks.service(receiver.url)
        callbacks.record(service)
        callbacks.wake(service)
        callbacks.wait_until(lambda: callbacks.pending() == [1])
        assert receiver.calls == []
        trust(monkeypatch, certificate)
        callbacks.wake(service)
        callbacks.wait_until_done()
        assert len(receiver.calls) == 1


def test_secrets_and_personal_data_are_not_logged(callbacks: Callbacks, receiver: Receiver) -> None:
    receiver.fail(Trouble(status=400, body=b"Rumpelstilzchen"), times=1)
    service = callbacks.service(f"{receiver.url}/secret-path")
    callbacks.record(service, 1)
    with structlog.testing.capture_logs() as lines:
        callbacks.wake(service)
        callbacks.wait_until_done()
    said = repr(lines)
    assert "callback failed" in said
    for secret in (TOKEN, "Rumpelstilzchen", "secret-path"):
        assert secret not in said


def test_nothing_to_tell(callbacks: Callbacks) -> None:
    callbacks.wake(new_id())
    callbacks.wait_until(lambda: not callbacks.sender._lanes)
