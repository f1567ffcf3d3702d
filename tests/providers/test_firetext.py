"""Firetext, against a server with Firetext's own rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from notify.infra.outbound import Outbound
from notify.providers import http
from notify.providers.base import Accepted, Receipt, ReceiptError
from notify.providers.firetext.receive import FiretextReceiver
from notify.providers.firetext.send import Firetext
from notify.providers.registry import configured
from notify.settings import load
from tests.providers.sending import ID, TEXT, failure, replace, send
from tests.servers.firetext import FiretextServer
from tests.servers.http import Trouble


@pytest.fixture
def server() -> Iterator[FiretextServer]:
    with FiretextServer(key="abc", international_key="xyz") as server:
        yield server


@pytest.fixture
def firetext(server: FiretextServer, outbound: Outbound) -> Firetext:
    settings = load(firetext_url=server.address, firetext_api_key="abc", firetext_international_api_key="xyz")
    return Firetext(settings, outbound)


def test_is_configured_by_its_key() -> None:
    assert configured(load(firetext_api_key="abc")) == {("firetext", "sms")}
    assert configured(load(firetext_api_key="")) == set()


def test_a_text_arrives_as_firetext_wants_it(firetext: Firetext, server: FiretextServer) -> None:
    assert send(firetext, replace(TEXT, to="+447700900123")) == Accepted()
    assert server.messages == [
        {
            "apiKey": "abc",
            "from": "Council",
            "to": "447700900123",
            "message": "Dŵr & café: 5 > 4",
            "reference": str(ID),
        }
    ]


def test_the_international_key_is_used_abroad(firetext: Firetext, server: FiretextServer) -> None:
    send(firetext, replace(TEXT, to="33612345678", international=True))
    assert server.messages[0]["apiKey"] == "xyz"


def test_without_an_international_key_the_other_is_used(server: FiretextServer, outbound: Outbound) -> None:
    provider = Firetext(load(firetext_url=server.address, firetext_api_key="xyz"), outbound)
    send(provider, replace(TEXT, to="33612345678", international=True))
    assert server.messages[0]["apiKey"] == "xyz"


def test_firetext_gets_the_address_for_receipts(server: FiretextServer, outbound: Outbound) -> None:
    settings = load(
        firetext_url=server.address,
        firetext_api_key="abc",
        firetext_receipt_url="https://api.example:8443/notifications/sms/firetext",
        firetext_delivery_status_callback_basic_auth_credentials=("user", "pass"),
    )
    send(Firetext(settings, outbound), TEXT)
    assert server.messages[0]["receipt"] == "https://user:pass@api.example:8443/notifications/sms/firetext"


def test_connections_are_kept(firetext: Firetext, server: FiretextServer) -> None:
    for _ in range(10):
        send(firetext, TEXT)
    assert (len(server.messages), server.connections) == (10, 1)


@pytest.mark.parametrize(("change", "code"), [({"to": "44 7700"}, 5), ({"sender": ""}, 3), ({"to": "336123456"}, 7)])
def test_a_code_other_than_0_is_a_no(
    firetext: Firetext, server: FiretextServer, change: dict[str, Any], code: int
) -> None:
    error = failure(firetext, replace(TEXT, **change))
    assert (error.provider, error.kind, error.code, error.retryable) == ("firetext", "refused", code, True)
    assert server.messages == []


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (Trouble(status=500), ("http_5xx", 500)),
        (Trouble(status=429), ("http_4xx", 429)),
        (Trouble(status=200, body=b"nonsense"), ("invalid_answer", 200)),
        (Trouble(status=200, body=b"{}"), ("invalid_answer", 200)),
        (Trouble(status=200, body=b"[0]"), ("invalid_answer", 200)),
        (Trouble(status=200, body=b'{"code": true}'), ("invalid_answer", 200)),
        (Trouble(drop=True), ("disconnected", None)),
        (Trouble(half=True), ("disconnected", None)),
        (Trouble(hang=True), ("timeout", None)),
    ],
    ids=str,
)
def test_failures_are_retryable_and_the_next_text_is_sent(
    firetext: Firetext,
    server: FiretextServer,
    monkeypatch: pytest.MonkeyPatch,
    trouble: Trouble,
    expected: tuple[str, int | None],
) -> None:
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 0.3)
    server.fail(trouble, times=1)
    error = failure(firetext, TEXT)
    assert (error.provider, error.kind, error.code) == ("firetext", *expected)
    assert error.retryable
    send(firetext, TEXT)
    assert len(server.messages) == 1


@pytest.fixture
def receiver() -> FiretextReceiver:
    return FiretextReceiver(load())


def read(receiver: FiretextReceiver, **form: str) -> Receipt:
    return receiver.read_receipt(b"", {"reference": str(ID), "mobile": "447700900123", **form})


@pytest.mark.parametrize(("status", "outcome"), [("0", "delivered"), ("2", "pending")])
def test_receipts_without_failure(receiver: FiretextReceiver, status: str, outcome: str) -> None:
    for code in ({}, {"code": "000"}, {"code": "101"}):
        receipt = read(receiver, status=status, **code)
        assert (receipt.provider, receipt.notification_id, receipt.outcome) == ("firetext", ID, outcome)
        assert receipt.outcome_if_pending is receipt.outcome_if_sent_by_provider is receipt.unknown_status is None


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        ("000", "temporary-failure", "No error reported"),
        ("101", "permanent-failure", "Unknown Subscriber"),
        ("102", "temporary-failure", "Absent Subscriber"),
        ("103", "temporary-failure", "Subscriber Busy"),
        ("104", "temporary-failure", "No Subscriber Memory"),
        ("201", "permanent-failure", "Invalid Number"),
        ("301", "permanent-failure", "SMS Not Supported"),
        ("302", "temporary-failure", "SMS Not Supported"),
        ("401", "permanent-failure", "Message Rejected"),
        ("900", "temporary-failure", "Routing Error"),
        (None, None, None),
        ("", None, None),
        ("555", None, None),
    ],
)
def test_failures_by_detail_code(
    receiver: FiretextReceiver, code: str | None, outcome: str | None, reason: str | None
) -> None:
    with structlog.testing.capture_logs() as logs:
        receipt = read(receiver, status="1", **({} if code is None else {"code": code}))
    assert (receipt.outcome, receipt.outcome_if_pending) == ("permanent-failure", "temporary-failure")
    assert (receipt.outcome_if_sent_by_provider, receipt.reason) == (outcome, reason)
    assert [entry["event"] for entry in logs] == (["unknown detail code"] if code == "555" else [])


def test_an_unknown_status_is_a_technical_failure_and_said_to_be_unknown(receiver: FiretextReceiver) -> None:
    receipt = read(receiver, status="7", code="101")
    assert (receipt.outcome, receipt.unknown_status) == ("technical-failure", "7")
    assert receipt.outcome_if_pending is receipt.outcome_if_sent_by_provider is None


def test_delivery_time_is_londons(receiver: FiretextReceiver) -> None:
    receipt = read(receiver, status="0", time="2026-07-01 12:30:05")
    assert receipt.delivered_at == datetime(2026, 7, 1, 11, 30, 5, tzinfo=UTC)
    assert read(receiver, status="0").delivered_at is None


def test_a_reference_that_is_no_uuid_updates_nothing(receiver: FiretextReceiver) -> None:
    assert read(receiver, status="0", reference="42").notification_id is None


@pytest.mark.parametrize(
    ("form", "messages"),
    [
        ({}, ["Firetext callback failed: status missing", "Firetext callback failed: reference missing"]),
        ({"status": "0", "reference": ""}, ["Firetext callback failed: reference missing"]),
        ({"reference": str(ID)}, ["Firetext callback failed: status missing"]),
    ],
)
def test_receipts_that_cannot_be_read(receiver: FiretextReceiver, form: dict[str, str], messages: list[str]) -> None:
    with pytest.raises(ReceiptError) as caught:
        receiver.read_receipt(b"", form)
    assert caught.value.messages == messages
