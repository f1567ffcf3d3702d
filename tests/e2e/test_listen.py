"""`notify listen` beside the running product: what a developer of a service sees."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from standardwebhooks import Webhook

from tests.e2e.conftest import Product
from tests.e2e.test_callbacks import VALUES, notify
from tests.servers.receiver import Receiver

SECONDS = 90


class Listening:
    """A `notify listen` and what it has printed."""

    def __init__(self, product: Product, log: Path, *options: str) -> None:
        self.log = log
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "notify.cli", "listen", *options],
                env={"NOTIFY_DATA_DIR": str(product.folder), "PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1"},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_for(self, text: str) -> str:
        """What it has printed, once this is in it."""
        deadline = time.monotonic() + SECONDS
        while text not in (said := self.log.read_text()):
            assert self.process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)
        return said

    def stop(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=SECONDS)


@contextmanager
def listening(product: Product, folder: Path, *options: str) -> Iterator[Listening]:
    running = Listening(product, folder / "listen.log", *options)
    try:
        running.wait_for("signing secret")
        yield running
        assert running.stop() == 0, running.log.read_text()
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def callbacks(product: Product) -> list[tuple[str, str]]:
    """The callbacks of the demo service, by type and address."""
    environment = json.loads((product.folder / "run" / "environment.json").read_text())
    with psycopg.connect(environment["SQLALCHEMY_DATABASE_URI"]) as connection:
        return connection.execute("SELECT callback_type, url FROM service_callback_api ORDER BY 1").fetchall()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def test_what_happens_is_printed_and_reaches_a_local_port(product: Product, receiver: Receiver, tmp_path: Path) -> None:
    with listening(product, tmp_path, "--forward-to", f"{receiver.url}/hook") as listener:
        secret = listener.wait_for("signing secret").split("signing secret")[1].split()[0]
        template = product.demo["templates"]["sms"]
        id_ = product.client().send_sms_notification("07900900123", template, VALUES)["id"]
        (call,) = receiver.wait_for(1, "/hook", seconds=SECONDS)
        assert Webhook(secret).verify(call.raw, call.headers)["id"] == id_
        assert "delivered  to 07900900123" in listener.wait_for(f"{id_}  -> {receiver.url}/hook: 200 in")

        text = notify(product.folder, "receive-text", "--content", "Yes please")["id"]
        assert receiver.wait_for(2, "/hook", seconds=SECONDS)[1].body["id"] == text
        listener.wait_for(": Yes please")

        assert notify(product.folder, "resend-callback", id_)["sent_again"] == "delivery_status"
        again = receiver.wait_for(3, "/hook", seconds=SECONDS)[2]
        assert again.headers["webhook-id"] == call.headers["webhook-id"] == f"delivery_status-{id_}"
        assert Webhook(secret).verify(again.raw, again.headers) == call.body
    assert callbacks(product) == []


def test_a_callback_that_the_service_has_is_put_back_even_after_a_crash(
    product: Product, receiver: Receiver, tmp_path: Path
) -> None:
    which = ["--service", product.demo["service_id"], "--type", "inbound_sms"]
    notify(product.folder, "create-callback", *which, "--url", f"{receiver.url}/own")
    try:
        killed = Listening(product, tmp_path / "killed.log")
        killed.wait_for("signing secret")
        killed.process.kill()
        killed.process.wait()
        assert len(callbacks(product)) == 4
        with listening(product, tmp_path, "--type", "inbound_sms") as listener:
            second = Listening(product, tmp_path / "second.log")
            assert second.process.wait(timeout=SECONDS) == 1
            assert "another `notify listen` runs" in second.log.read_text()
            notify(product.folder, "receive-text", "--content", "Hello")
            assert receiver.wait_for(1, "/own", seconds=SECONDS)[0].body["message"] == "Hello"
            listener.wait_for('"message": "Hello"')
        assert callbacks(product) == [("inbound_sms", f"{receiver.url}/own")]
    finally:
        notify(product.folder, "delete-callback", *which)
