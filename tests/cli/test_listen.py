"""`notify listen`: what it refuses, and what it says. That it works is in `tests/e2e/test_listen.py`."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from threading import Thread

import pytest

from notify.cli.listen import _target, subject_of, summary
from notify.cli.listening import LARGEST_BODY, Heard, Listener
from tests.cli.terminal import a_service, refused
from tests.production import PRODUCTION, as_environment
from tests.servers.receiver import Receiver


def heard(kind: str, **event: object) -> Heard:
    return Heard(kind, {}, json.dumps(event).encode(), None, 200, 0.0, None)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("3000", "http://localhost:3000"),
        ("localhost:3000/callbacks", "http://localhost:3000/callbacks"),
        ("https://127.0.0.1:3000/a?b=c", "https://127.0.0.1:3000/a?b=c"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_where_to_send_on(text: str, url: str) -> None:
    assert _target(text) == url


@pytest.mark.parametrize(
    "text", ["99999", "example.com", "http://192.168.1.4:3000", "ftp://localhost", "http://", "[::1"]
)
def test_nothing_is_sent_on_to_another_machine(text: str) -> None:
    assert "neither a port nor an http address of this machine" in refused("listen", "--forward-to", text)


@pytest.mark.usefixtures("terminal")
def test_it_needs_a_service_and_a_development_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "give --service" in refused("listen")
    assert "there is no service Nobody" in refused("listen", "--service", "Nobody")
    a_service()
    monkeypatch.setenv("CALLBACK_GUARD", "1")
    assert "CALLBACK_GUARD=1" in refused("listen", "--service", "Passports")
    for name, value in as_environment(PRODUCTION).items():
        monkeypatch.setenv(name, value)
    assert "refused in environment 'production'" in refused("listen", "--service", "Passports")


def test_what_is_said_of_each_kind() -> None:
    status = heard("delivery_status", id="1", to="07900900123", status="delivered")
    assert summary(status) == "delivered  to 07900900123  1"
    assert summary(heard("inbound_sms", source_number="447900900123", message="Yes")) == "from 447900900123: Yes"
    assert summary(heard("complaint", notification_id="2")) == "about 2"
    assert summary(Heard("complaint", {}, b"[]", None, 200, 0.0, None)) == "about None"
    assert subject_of(status) == "1"
    assert subject_of(heard("complaint", notification_id="2")) is None


@pytest.fixture
def came() -> list[Heard]:
    return []


@pytest.fixture
def listener(came: list[Heard]) -> Iterator[Listener]:
    with Listener({}, came.append, seconds=0.5) as listener:
        thread = Thread(target=listener.serve_forever)
        thread.start()
        yield listener
        listener.shutdown()
        thread.join()


def post(listener: Listener, path: str, body: bytes = b"{}", **headers: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", listener.server_port, timeout=10)
    try:
        connection.request("POST", path, body, {"webhook-id": "one", "Cookie": "secret", **headers})
        return connection.getresponse().status
    finally:
        connection.close()


def test_what_comes_is_passed_on_with_what_proves_it(listener: Listener, came: list[Heard]) -> None:
    with Receiver() as receiver:
        listener.targets["/x/inbound_sms"] = ("inbound_sms", f"{receiver.url}/text")
        assert post(listener, "/x/inbound_sms", b'{"a": 1}', Authorization="Bearer token") == 200
        (call,) = receiver.calls
    assert (call.path, call.raw) == ("/text", b'{"a": 1}')
    assert (call.headers["authorization"], call.headers["webhook-id"]) == ("Bearer token", "one")
    assert "cookie" not in call.headers
    assert [(one.callback_type, one.status, one.problem, one.event) for one in came] == [
        ("inbound_sms", 200, None, {"a": 1})
    ]


def test_who_does_not_answer_is_named_and_the_worker_tries_again(listener: Listener, came: list[Heard]) -> None:
    with socket.socket() as nobody, Receiver() as receiver:
        nobody.bind(("127.0.0.1", 0))
        listener.targets["/gone"] = ("complaint", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        listener.targets["/hangs"] = ("complaint", f"{receiver.url}/hang")
        assert post(listener, "/gone") == post(listener, "/hangs") == 502
    assert [bool(one.problem) for one in came] == [True, True]
    assert "refused" in str(came[0].problem)
    assert "timed out" in str(came[1].problem)


def test_what_is_not_a_callback_is_not_passed_on(listener: Listener, came: list[Heard]) -> None:
    listener.targets["/secret/complaint"] = ("complaint", None)
    assert post(listener, "/guess/complaint") == 404
    too_long = {"Content-Length": str(LARGEST_BODY + 1)}
    assert post(listener, "/secret/complaint", b"{}", **too_long) == 404
    assert came == []
    assert post(listener, "/secret/complaint", b"no json") == 200
    assert came[0].event is None
