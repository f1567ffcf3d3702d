"""MMG, against a server with MMG's own rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from notify.infra.outbound import Outbound
from notify.providers import http
from notify.providers.base import Accepted, ReceiptError
from notify.providers.mmg.receive import MMGReceiver
from notify.providers.mmg.send import MMG
from notify.providers.registry import configured
from notify.settings import load
from tests.providers.sending import ID, TEXT, failure, replace, send, send_many
from tests.servers.http import Trouble
from tests.servers.mmg import MMGServer


@pytest.fixture
def server() -> Iterator[MMGServer]:
    with MMGServer(key="abc") as server:
        yield server


@pytest.fixture
def mmg(server: MMGServer, outbound: Outbound) -> MMG:
    return MMG(load(mmg_url=server.address, mmg_api_key="abc"), outbound)


def test_is_configured_by_its_key() -> None:
    assert configured(load(mmg_api_key="abc")) == {("mmg", "sms")}
    assert configured(load(mmg_api_key="")) == set()


def test_a_text_arrives_as_mmg_wants_it(mmg: MMG, server: MMGServer) -> None:
    assert send(mmg, TEXT) == Accepted()
    assert server.messages == [
        {
            "reqType": "BULK",
            "MSISDN": "447700900123",
            "msg": "Dŵr & café: 5 > 4",
            "sender": "Council",
            "cid": str(ID),
            "multi": True,
        }
    ]


@pytest.mark.parametrize(
    ("credentials", "address"),
    [
        (None, "https://api.example/notifications/sms/mmg"),
        (("us:er", "p@ss/word"), "https://us%3Aer:p%40ss%2Fword@api.example/notifications/sms/mmg"),
    ],
)
def test_mmg_gets_the_address_for_receipts(
    server: MMGServer, outbound: Outbound, credentials: tuple[str, str] | None, address: str
) -> None:
    settings = load(
        mmg_url=server.address,
        mmg_api_key="abc",
        mmg_receipt_url="https://api.example/notifications/sms/mmg",
        mmg_delivery_status_callback_basic_auth_credentials=credentials,
    )
    send(MMG(settings, outbound), TEXT)
    assert server.messages[0]["delurl"] == address


def test_connections_are_kept(mmg: MMG, server: MMGServer) -> None:
    for _ in range(10):
        send(mmg, TEXT)
    assert (len(server.messages), server.connections) == (10, 1)


def test_many_at_once(mmg: MMG, server: MMGServer) -> None:
    server.fail(Trouble(delay=0.1))
    assert send_many(mmg, TEXT, 40) == [Accepted()] * 40
    assert server.most_at_once > 20


def test_a_wrong_key_is_tried_again_for_an_operator_may_right_it(server: MMGServer, outbound: Outbound) -> None:
    error = failure(MMG(load(mmg_url=server.address, mmg_api_key="other"), outbound), TEXT)
    assert (error.kind, error.code, error.retryable) == ("http_4xx", 401, True)


def test_what_mmg_refuses(mmg: MMG, server: MMGServer) -> None:
    error = failure(mmg, replace(TEXT, to="not a number"))
    assert (error.kind, error.code, error.retryable) == ("http_4xx", 400, True)
    assert server.messages == []


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (Trouble(status=500), ("http_5xx", 500)),
        (Trouble(status=503), ("http_5xx", 503)),
        (Trouble(status=302), ("http_3xx", 302)),
        (Trouble(status=200, body=b"<html>maintenance</html>"), ("invalid_answer", 200)),
        (Trouble(drop=True), ("disconnected", None)),
        (Trouble(half=True), ("disconnected", None)),
        (Trouble(hang=True), ("timeout", None)),
    ],
    ids=str,
)
def test_failures_are_retryable_and_the_next_text_is_sent(
    mmg: MMG, server: MMGServer, monkeypatch: pytest.MonkeyPatch, trouble: Trouble, expected: tuple[str, int | None]
) -> None:
    monkeypatch.setattr(http, "TIMEOUT_SECONDS", 0.3)
    server.fail(trouble, times=1)
    error = failure(mmg, TEXT)
    assert (error.provider, error.kind, error.code) == ("mmg", *expected)
    assert error.retryable
    send(mmg, TEXT)
    assert len(server.messages) == 1


def test_a_slow_answer_is_still_an_answer(mmg: MMG, server: MMGServer) -> None:
    server.fail(Trouble(delay=0.5), times=1)
    assert send(mmg, TEXT) == Accepted()


def test_nobody_listens(outbound: Outbound) -> None:
    error = failure(MMG(load(mmg_url="http://127.0.0.1:9/", mmg_api_key="abc"), outbound), TEXT)
    assert (error.kind, error.retryable) == ("connection", True)


RECEIPT = {"CID": str(ID), "status": "3", "substatus": "5", "reference": "12", "MSISDN": "447700900123"}


@pytest.fixture
def receiver() -> MMGReceiver:
    return MMGReceiver(load())


def read(receiver: MMGReceiver, **changes: Any) -> Any:
    return receiver.read_receipt(orjson.dumps({**RECEIPT, **changes}), {})


@pytest.mark.parametrize(
    ("status", "outcome", "reasons"),
    [
        (
            "2",
            "permanent-failure",
            {
                1: "Number does not exist",
                4: "Rejected by operator",
                5: "Unidentified Subscriber",
                9: "Undelivered",
                11: "Service for Subscriber suspended",
                12: "Illegal equipment",
                2049: "Subscriber IMSI blacklisted",
                2050: "Number blacklisted in do-not-disturb blacklist",
                2052: "Destination number blacklisted",
                2053: "Source address blacklisted",
            },
        ),
        ("3", "delivered", {2: "Delivered to operator", 5: "Delivered to handset"}),
        (
            "4",
            "temporary-failure",
            {
                6: "Absent Subscriber",
                8: "Roaming not allowed",
                13: "SMS Not Supported",
                15: "Expired",
                27: "Absent Subscriber",
                29: "Invalid delivery report",
                32: "Delivery Failure",
            },
        ),
        (
            "5",
            "permanent-failure",
            {
                6: "Network out of coverage",
                8: "Incorrect number prefix",
                10: "Number on do-not-disturb service",
                11: "Sender id not registered",
                13: "Sender id blacklisted",
                14: "Destination number blacklisted",
                19: "Routing unavailable",
                20: "Rejected by anti-flooding mechanism",
                21: "System error",
                23: "Duplicate message id",
                24: "Message formatted incorrectly",
                25: "Message too long",
                51: "Missing recipient value",
                52: "Invalid destination",
            },
        ),
    ],
)
def test_receipts_of_every_code(receiver: MMGReceiver, status: str, outcome: str, reasons: dict[int, str]) -> None:
    for substatus, reason in {**reasons, 999: None}.items():
        for form in (str, int):
            receipt = read(receiver, status=form(status), substatus=form(substatus))
            assert (receipt.provider, receipt.notification_id, receipt.outcome) == ("mmg", ID, outcome)
            assert (receipt.reason, receipt.unknown_status) == (reason, None)
            assert receipt.outcome_if_pending is receipt.outcome_if_sent_by_provider is receipt.reference is None


def test_an_unknown_status_is_a_technical_failure_and_said_to_be_unknown(receiver: MMGReceiver) -> None:
    receipt = read(receiver, status="99")
    assert (receipt.outcome, receipt.unknown_status) == ("technical-failure", "99")


@pytest.mark.parametrize(
    ("time", "moment"),
    [
        ("2026-07-01 12:30:05", datetime(2026, 7, 1, 11, 30, 5, tzinfo=UTC)),  # summer time in London
        ("2026-12-01 12:30:05", datetime(2026, 12, 1, 12, 30, 5, tzinfo=UTC)),
        ("2026-07-01T12:30:05+00:00", datetime(2026, 7, 1, 12, 30, 5, tzinfo=UTC)),
        ("2026-07-01T12:30:05Z", datetime(2026, 7, 1, 12, 30, 5, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (5, None),
    ],
)
def test_delivery_times(receiver: MMGReceiver, time: object, moment: datetime | None) -> None:
    assert read(receiver, deliverytime=time).delivered_at == moment


def test_a_reference_that_is_no_uuid_updates_nothing(receiver: MMGReceiver) -> None:
    assert read(receiver, CID="42").notification_id is None


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        (b"{}", ["MMG callback failed: status missing", "MMG callback failed: CID missing"]),
        (b'{"status": "3"}', ["MMG callback failed: CID missing"]),
        (b'{"status": "", "CID": "x"}', ["MMG callback failed: status missing"]),
        (b'{"status": null, "CID": "x"}', ["MMG callback failed: status missing"]),
        (b"[]", ["MMG callback failed: body is not a JSON object"]),
        (b"not JSON", ["MMG callback failed: body is not a JSON object"]),
        (b"", ["MMG callback failed: body is not a JSON object"]),
        (b'{"status": "\xff"}', ["MMG callback failed: body is not a JSON object"]),
        (b"[" * 100_000, ["MMG callback failed: body is not a JSON object"]),
    ],
    ids=range(9),
)
def test_receipts_that_cannot_be_read(receiver: MMGReceiver, body: bytes, messages: list[str]) -> None:
    with pytest.raises(ReceiptError) as caught:
        receiver.read_receipt(body, {})
    assert caught.value.messages == messages


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_receipts_in_other_encodings_of_json_are_read(receiver: MMGReceiver, encoding: str) -> None:
    receipt = receiver.read_receipt(orjson.dumps(RECEIPT).decode().encode(encoding), {})
    assert (receipt.notification_id, receipt.outcome) == (ID, "delivered")


def test_an_answer_may_begin_with_a_byte_order_mark(mmg: MMG, server: MMGServer) -> None:
    server.fail(Trouble(status=200, body=b'\xef\xbb\xbf{"Reference": 1}'), times=1)
    assert send(mmg, TEXT) == Accepted()


def test_a_key_that_no_header_can_carry_is_our_fault(server: MMGServer, outbound: Outbound) -> None:
    settings = load(mmg_url=server.address, mmg_api_key="key").model_copy(update={"mmg_api_key": "k\x00y"})
    error = failure(MMG(settings, outbound), TEXT)
    assert (error.kind, error.retryable) == ("invalid_request", True)
    assert error.is_own_fault
    assert not error.is_outage
