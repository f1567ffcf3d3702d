"""A worker process that sends callbacks is stopped or killed meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psutil

from notify.infra.times import utc_now
from notify.webhooks.outbox import publish, sweep
from notify.webhooks.settings import CallbackSettings
from tests.servers.http import Trouble
from tests.servers.receiver import Receiver
from tests.webhooks.conftest import Callbacks

NUMBER = 30
START_SECONDS = 60
STOP_SECONDS = 30


@contextmanager
def a_worker(callbacks: Callbacks) -> Iterator[subprocess.Popen[bytes]]:
    settings = callbacks.parts.settings
    process = subprocess.Popen(
        [sys.executable, "-m", "notify.cli", "worker", "--queues", "service-callbacks,service-callbacks-retry"],
        env={
            "PATH": os.environ["PATH"],
            "NOTIFY_ENVIRONMENT": "test",
            "SQLALCHEMY_DATABASE_URI": settings.sqlalchemy_database_uri,
            "REDIS_URL": settings.redis_url,
            "NOTIFICATION_QUEUE_PREFIX": settings.notification_queue_prefix,
            "NOTIFY_DATA_DIR": str(settings.notify_data_dir),
        },
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_killed_worker_loses_nothing(callbacks: Callbacks, receiver: Receiver) -> None:
    service = callbacks.service(receiver.url)
    ids = callbacks.record(service, NUMBER)
    publish(callbacks.parts.queue, "delivery_status", service)
    receiver.fail(Trouble(hang=True))
    with a_worker(callbacks) as killed:
        callbacks.wait_until(
            lambda: receiver.at_once == callbacks.parts.settings.part(CallbackSettings).callback_connections,
            START_SECONDS,
        )
        children = psutil.Process(killed.pid).children()
        killed.kill()
        killed.wait()
        psutil.wait_procs(children, timeout=STOP_SECONDS)  # they die with it; until then they may take a task
    receiver.fail(None)
    with callbacks.parts.database.connection() as connection:  # as if its time had passed
        connection.execute("UPDATE pending_callbacks SET due_at = now()")
    later = utc_now() + timedelta(seconds=31)
    assert sweep(callbacks.parts.database, callbacks.parts.queue, now=later, expiry=timedelta(days=1)) == 1
    with a_worker(callbacks):
        callbacks.wait_until(lambda: not callbacks.pending(), START_SECONDS)
    assert sorted(call.body["id"] for call in receiver.calls) == sorted(map(str, ids))


def test_a_worker_that_is_stopped_finishes_its_calls(callbacks: Callbacks, receiver: Receiver) -> None:
    service = callbacks.service(receiver.url)
    callbacks.record(service, NUMBER)
    at_once = callbacks.parts.settings.part(CallbackSettings).callback_connections
    receiver.fail(Trouble(delay=1))
    publish(callbacks.parts.queue, "delivery_status", service)
    with a_worker(callbacks) as stopped:
        callbacks.wait_until(lambda: receiver.at_once == at_once, START_SECONDS)
        stopped.send_signal(signal.SIGTERM)
        assert stopped.wait(timeout=STOP_SECONDS) == 0
    told = receiver.received
    assert at_once <= told < NUMBER
    assert len(callbacks.pending()) == NUMBER - told
    assert all(due <= utc_now() for due in callbacks.pending("due_at"))
