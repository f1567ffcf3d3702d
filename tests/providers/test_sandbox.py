"""The sandbox: the provider and its server, with a server instead of our API that receives the receipts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import UUID, uuid4

import orjson
import pytest
from aiohttp import web
from sqlalchemy import text

from notify.infra.database import Database
from notify.infra.outbound import Answer, Outbound, OutboundError
from notify.infra.times import utc_now
from notify.providers.base import ReceiptError
from notify.providers.maintenance import delete_sandbox_messages
from notify.providers.registry import configured
from notify.providers.sandbox import server as sandbox_server
from notify.providers.sandbox.receive import SandboxEmailReceiver, SandboxSMSReceiver
from notify.providers.sandbox.send import SandboxEmail, SandboxSMS
from notify.providers.sandbox.server import create_app
from notify.providers.simulation import simulated_outcome
from notify.settings import Settings, load
from tests.providers.sending import EMAIL, ID, TEXT, failure, replace, send, send_many
from tests.servers.http import HTTPServer, Trouble
from tests.servers.loop import LoopThread


class ReceiptTaker(HTTPServer):
    """Stands for our API: takes receipts."""

    def __init__(self) -> None:
        self.receipts: list[tuple[str, bytes]] = []
        super().__init__()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.content_type == "application/json"
        self.receipts.append((request.path, await request.read()))
        return web.json_response({"result": "success"})

    def wait_for(self, count: int, seconds: float = 10) -> list[tuple[str, dict[str, Any]]]:
        wait_until(lambda: len(self.receipts) >= count, seconds)
        return [(path, orjson.loads(body)) for path, body in self.receipts]


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "this took too long"
        time.sleep(0.01)


@pytest.fixture
def api() -> Iterator[ReceiptTaker]:
    with ReceiptTaker() as api:
        yield api


@contextmanager
def serving(settings: Settings, port: int = 0) -> Iterator[str]:
    """The sandbox in this process; yields its address."""
    loop = LoopThread()
    runner: web.AppRunner

    async def start() -> int:
        nonlocal runner
        runner = web.AppRunner(create_app(settings), access_log=None, shutdown_timeout=0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        return int(runner.addresses[0][1])

    try:
        yield f"http://127.0.0.1:{loop.run(start())}"
    finally:
        loop.run(runner.cleanup())
        loop.close()


@pytest.fixture
def settings(database: Database, database_url: str, api: ReceiptTaker) -> Settings:
    return load(sqlalchemy_database_uri=database_url, api_host_name_internal=api.url, sandbox_receipt_delay_ms=100)


@pytest.fixture
def address(settings: Settings) -> Iterator[str]:
    with serving(settings) as address:
        yield address


@pytest.fixture
def sms(address: str, outbound: Outbound) -> SandboxSMS:
    return SandboxSMS(load(sandbox_url=address), outbound)


@pytest.fixture
def email(address: str, outbound: Outbound) -> SandboxEmail:
    return SandboxEmail(load(sandbox_url=address), outbound)


def get(outbound: Outbound, url: str) -> Answer:
    return outbound.run(outbound.request("GET", url)).result(timeout=10)


def outbox(outbound: Outbound, address: str, query: str = "") -> list[dict[str, Any]]:
    answer = get(outbound, f"{address}/outbox{query}")
    assert answer.status == 200
    messages: list[dict[str, Any]] = orjson.loads(answer.body)["messages"]
    return messages


def test_a_text_is_kept(sms: SandboxSMS, outbound: Outbound, address: str) -> None:
    assert send(sms, TEXT).reference is None
    (message,) = outbox(outbound, address)
    UUID(message.pop("id"))
    assert message.pop("created_at").endswith("Z")
    assert message == {
        "notification_id": str(ID),
        "channel": "sms",
        "recipient": "447700900123",
        "sender": "Council",
        "reply_to": None,
        "subject": None,
        "body": "Dŵr & café: 5 > 4",
        "html": None,
        "headers": {},
        "outcome": "delivered",
        "receipt_sent_at": None,
    }


def test_an_email_is_kept(email: SandboxEmail, outbound: Outbound, address: str) -> None:
    headers = {"List-Unsubscribe": "<https://api.example/unsubscribe/1>"}
    accepted = send(email, replace(EMAIL, headers=headers))
    (message,) = outbox(outbound, address)
    assert message["id"] == accepted.reference
    assert message["recipient"] == "person@example.com"
    assert message["sender"] == "Council <council@notify.tools>"
    assert message["reply_to"] == "help@council.example"
    assert message["subject"] == "Your bin day"
    assert message["body"] == "Dear person,\n\nTuesday.\n"
    assert message["html"] == "<p>Dear person,</p>\n<p>Tuesday.</p>"
    assert message["headers"] == headers


def test_the_outbox_is_newest_first_and_can_be_searched(sms: SandboxSMS, outbound: Outbound, address: str) -> None:
    ids = [uuid4() for _ in range(5)]
    for number, id_ in enumerate(ids):
        send(sms, replace(TEXT, notification_id=id_, to=f"4477009001{number % 2}"))
    newest_first = [str(id_) for id_ in reversed(ids)]
    assert [message["notification_id"] for message in outbox(outbound, address)] == newest_first
    assert [message["notification_id"] for message in outbox(outbound, address, "?limit=2")] == newest_first[:2]
    to = outbox(outbound, address, "?to=44770090011")
    assert [message["notification_id"] for message in to] == [str(ids[3]), str(ids[1])]
    (found,) = outbox(outbound, address, f"?notification_id={ids[2]}")
    assert found["notification_id"] == str(ids[2])
    assert outbox(outbound, address, "?to=nobody") == []


@pytest.mark.parametrize("query", ["?limit=x", "?notification_id=42"])
def test_a_query_that_makes_no_sense(outbound: Outbound, address: str, query: str) -> None:
    assert get(outbound, f"{address}/outbox{query}").status == 400


@pytest.mark.parametrize(
    ("to", "outcome"),
    [
        ("447700900001", "delivered"),
        ("447700900002", "permanent-failure"),
        ("447700900003", "temporary-failure"),
        ("+447700900003 ", "temporary-failure"),
        ("33612345678", "delivered"),
    ],
)
def test_receipts_of_texts(sms: SandboxSMS, api: ReceiptTaker, to: str, outcome: str) -> None:
    assert simulated_outcome("sms", to) == outcome
    send(sms, replace(TEXT, to=to))
    api.wait_for(1)
    ((path, body),) = api.receipts
    assert path == "/notifications/sms/sandbox"
    receipt = SandboxSMSReceiver(load()).read_receipt(body, {})
    assert (receipt.provider, receipt.notification_id, receipt.outcome) == ("sandbox", ID, outcome)
    assert receipt.reference is None
    assert receipt.delivered_at is not None


@pytest.mark.parametrize(
    ("to", "outcome"),
    [
        ("delivered@simulator.notify", "delivered"),
        ("temp-fail@simulator.notify", "temporary-failure"),
        ("perm-fail@simulator.notify", "permanent-failure"),
        ("not-perm-fail@simulator.notify", "delivered"),
    ],
)
def test_receipts_of_emails(email: SandboxEmail, api: ReceiptTaker, to: str, outcome: str) -> None:
    accepted = send(email, replace(EMAIL, to=to))
    api.wait_for(1)
    ((path, body),) = api.receipts
    assert path == "/notifications/email/sandbox"
    receipt = SandboxEmailReceiver(load()).read_receipt(body, {})
    assert (receipt.notification_id, receipt.reference, receipt.outcome) == (ID, accepted.reference, outcome)


def test_a_receipt_comes_once_and_after_its_delay(
    sms: SandboxSMS, outbound: Outbound, address: str, api: ReceiptTaker
) -> None:
    started = time.monotonic()
    send(sms, TEXT)
    assert api.receipts == []
    api.wait_for(1)
    assert time.monotonic() - started >= 0.1
    wait_until(lambda: outbox(outbound, address)[0]["receipt_sent_at"] is not None)
    time.sleep(0.3)
    assert len(api.receipts) == 1


@pytest.mark.parametrize("trouble", [Trouble(status=500), Trouble(drop=True), Trouble(half=True)], ids=str)
def test_receipts_that_are_not_taken_are_sent_again(
    sms: SandboxSMS, api: ReceiptTaker, monkeypatch: pytest.MonkeyPatch, trouble: Trouble
) -> None:
    monkeypatch.setattr(sandbox_server, "RETRY_SECONDS", 0.2)
    api.fail(trouble, times=2)
    send(sms, TEXT)
    api.wait_for(1)
    assert api.received == 3


def test_a_receipt_that_is_refused_is_not_sent_again(
    sms: SandboxSMS, outbound: Outbound, address: str, api: ReceiptTaker
) -> None:
    api.fail(Trouble(status=400))
    send(sms, TEXT)
    wait_until(lambda: outbox(outbound, address)[0]["receipt_sent_at"] is not None)
    assert api.received == 1


def test_receipts_put_off_do_not_hold_up_new_ones(
    sms: SandboxSMS, api: ReceiptTaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sandbox_server, "RETRY_SECONDS", 60)
    api.fail(Trouble(status=500), times=1)
    send(sms, TEXT)
    wait_until(lambda: api.received == 1)
    time.sleep(0.2)
    send(sms, replace(TEXT, notification_id=uuid4()))
    api.wait_for(1, seconds=2)


def test_receipts_survive_a_restart(settings: Settings, outbound: Outbound, api: ReceiptTaker) -> None:
    slow = settings.model_copy(update={"sandbox_receipt_delay_ms": 60_000})
    with serving(slow) as address:
        send_many(SandboxSMS(load(sandbox_url=address), outbound), TEXT, 5)
    time.sleep(0.1)
    assert api.receipts == []
    with Database(settings.sqlalchemy_database_uri).transaction() as session:
        session.execute(text("UPDATE sandbox_messages SET receipt_due_at = now()"))
    with serving(settings):
        api.wait_for(5)


def test_it_keeps_up(sms: SandboxSMS, api: ReceiptTaker) -> None:
    started = time.monotonic()
    send_many(sms, TEXT, 1000)
    receipts = api.wait_for(1000)
    # both ends, and the test's own, share what this machine has
    assert time.monotonic() - started < 6
    assert Counter(body["reference"] for _, body in receipts).most_common(1)[0][1] == 1


def test_an_outage_of_the_database_is_a_retryable_failure(
    sms: SandboxSMS, outbound: Outbound, address: str, database: Database
) -> None:
    send(sms, TEXT)
    with database.transaction() as session:
        session.execute(text("ALTER TABLE sandbox_messages RENAME TO away"))
    try:
        error = failure(sms, TEXT)
        assert (error.kind, error.code, error.retryable) == ("http_5xx", 503, True)
        assert get(outbound, f"{address}/health").status == 503
    finally:
        with database.transaction() as session:
            session.execute(text("ALTER TABLE away RENAME TO sandbox_messages"))
    send(sms, TEXT)
    assert get(outbound, f"{address}/health").status == 200


def test_connections_cut_by_the_database_are_replaced(sms: SandboxSMS, database: Database) -> None:
    send(sms, TEXT)
    with database.transaction() as session:
        session.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'notify-sandbox'")
        )
    send(sms, TEXT)


def test_characters_the_database_cannot_keep(sms: SandboxSMS, outbound: Outbound, address: str) -> None:
    send(sms, replace(TEXT, body="a\0b"))
    assert outbox(outbound, address)[0]["body"] == "a\ufffdb"


@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"nonsense", b'{"notification_id": "42"}', b"\xff"])
def test_requests_that_make_no_sense(outbound: Outbound, address: str, body: bytes) -> None:
    for path in ("sms", "email"):
        answer = outbound.run(outbound.request("POST", f"{address}/{path}", data=body)).result(timeout=10)
        assert answer.status == 400
        assert orjson.loads(answer.body)["errors"]


RECEIPT = {
    "notification_id": str(ID),
    "reference": str(ID),
    "status": "delivered",
    "delivered_at": "2026-11-24T12:00:00Z",
}


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        ({"status": "sending"}, ["Sandbox callback failed: status is missing or malformed"]),
        ({"notification_id": "42"}, ["Sandbox callback failed: notification_id is missing or malformed"]),
        (
            {"delivered_at": None, "reference": ""},
            [
                "Sandbox callback failed: reference is missing or malformed",
                "Sandbox callback failed: delivered_at is missing or malformed",
            ],
        ),
    ],
)
def test_receipts_that_cannot_be_read(sms: SandboxSMS, change: dict[str, Any], messages: list[str]) -> None:
    with pytest.raises(ReceiptError) as caught:
        SandboxSMSReceiver(load()).read_receipt(orjson.dumps({**RECEIPT, **change}), {})
    assert caught.value.messages == messages


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b"[" * 10_000])
def test_receipts_that_are_none(sms: SandboxSMS, body: bytes) -> None:
    with pytest.raises(ReceiptError):
        SandboxSMSReceiver(load()).read_receipt(body, {})


def test_an_answer_that_is_not_the_sandboxs(outbound: Outbound) -> None:
    with HTTPServer() as other:
        error = failure(SandboxSMS(load(sandbox_url=other.url), outbound), TEXT)
        assert (error.kind, error.retryable) == ("invalid_answer", True)


def test_is_configured_by_its_address() -> None:
    assert len(configured(load(sandbox_url="http://127.0.0.1:1"))) == 2
    assert configured(load(sandbox_url="")) == set()


PROGRAM = "from notify.providers.sandbox.server import run; from notify.settings import load; run(load())"


def test_as_a_process_of_its_own_it_serves_until_it_is_told_to_stop(
    settings: Settings, outbound: Outbound, api: ReceiptTaker, unused_port: int
) -> None:
    address = f"http://127.0.0.1:{unused_port}"
    environment = {
        **os.environ,
        "SANDBOX_URL": address,
        "SQLALCHEMY_DATABASE_URI": settings.sqlalchemy_database_uri,
        "API_HOST_NAME_INTERNAL": api.url,
    }
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment)
    try:
        wait_until(lambda: _answers(outbound, f"{address}/health"))
        send(SandboxSMS(load(sandbox_url=address), outbound), TEXT)
        api.wait_for(1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 0
    finally:
        process.kill()


def _answers(outbound: Outbound, url: str) -> bool:
    try:
        return get(outbound, url).status == 200
    except OutboundError:
        return False


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1.evil.example:80"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "[::1"}, 403),
        ({"Host": "localhost:1234"}, 200),
        ({"Host": "[::1]:1234"}, 200),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 200),
    ],
)
def test_web_pages_and_foreign_names_see_nothing(address: str, headers: dict[str, str], status: int) -> None:
    for path in ("/outbox", "/health"):
        assert status_of(Request(address + path, headers=headers)) == status


def status_of(request: Request) -> int:
    try:
        with urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except HTTPError as error:
        return error.code


def test_messages_are_deleted_after_a_week(database: Database) -> None:
    insert = """INSERT INTO sandbox_messages (id, notification_id, channel, recipient, sender, body, created_at, outcome,
        receipt_due_at) VALUES (gen_random_uuid(), gen_random_uuid(), 'sms', :to, 'a', 'b', now() - make_interval(hours => :h),
        'delivered', now())"""
    with database.transaction() as session:
        for hours in (0, 6 * 24, 7 * 24 - 1, 7 * 24 + 1, 100 * 24):
            session.execute(text(insert), {"to": str(hours), "h": hours})
    assert delete_sandbox_messages(database, utc_now()) == 2
    assert delete_sandbox_messages(database, utc_now()) == 0
    with database.session() as session:
        left = session.scalars(text("SELECT recipient FROM sandbox_messages")).all()
    assert sorted(map(int, left)) == [0, 6 * 24, 7 * 24 - 1]
