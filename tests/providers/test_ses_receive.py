"""Notifications of SES, valid and malformed."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.providers.base import Receipt, ReceiptError
from notify.providers.ses.receive import SpamReport, parse_envelope, parse_event
from tests.servers.ses import event

REFERENCE = "0102018f-7a3e-000000"


def parsed(notification: Any) -> Any:
    found = parse_event(json.dumps(notification))
    assert found is not None
    return found


@pytest.mark.parametrize("field", ["notificationType", "eventType"])
@pytest.mark.parametrize(
    ("kind", "fields", "outcome"),
    [
        ("Delivery", {}, "delivered"),
        ("Bounce", {"bounce_type": "Permanent"}, "permanent-failure"),
        ("Bounce", {"bounce_type": "Transient"}, "temporary-failure"),
        ("Bounce", {"bounce_type": "Undetermined"}, "temporary-failure"),
        ("Bounce", {"bounce_type": "Temporary"}, "temporary-failure"),
        ("Reject", {}, "technical-failure"),
    ],
)
def test_receipts(field: str, kind: str, fields: dict[str, str], outcome: str) -> None:
    found = parsed(event(kind, REFERENCE, field=field, **fields))
    assert isinstance(found.content, Receipt)
    assert (found.reference, found.content.reference, found.content.outcome) == (REFERENCE, REFERENCE, outcome)
    assert found.content.provider == "ses"
    assert found.accepted_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (found.content.delivered_at is None) == (kind == "Reject")


def test_a_complaint() -> None:
    found = parsed(event("Complaint", REFERENCE))
    assert found.content == SpamReport(
        reference=REFERENCE,
        recipient="amala@example.com",
        feedback_id="0102-feedback",
        feedback_type="abuse",
        complained_at=datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC),
    )


@pytest.mark.parametrize("kind", ["Delivery", "Bounce", "Complaint", "Reject"])
@pytest.mark.parametrize("odd", [None, 7, [], {}, "x"])
def test_fields_that_are_not_needed_may_be_missing_or_odd(kind: str, odd: Any) -> None:
    notification = event(kind, REFERENCE)
    notification["mail"] |= {"destination": odd, "timestamp": odd, "headers": odd, "commonHeaders": odd}
    for part in ("delivery", "bounce", "complaint"):
        notification[part] = odd
    found = parsed(notification)
    assert (found.reference, found.accepted_at) == (REFERENCE, None)
    if isinstance(found.content, SpamReport):
        assert (found.content.recipient, found.content.complained_at) == (None, None)
    else:
        expected = {"Delivery": "delivered", "Bounce": "temporary-failure", "Reject": "technical-failure"}
        assert found.content.outcome == expected[kind]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_an_event_in_another_encoding_of_json(encoding: str) -> None:
    found = parse_event(json.dumps(event("Delivery", REFERENCE)).encode(encoding))
    assert found is not None
    assert found.reference == REFERENCE


@pytest.mark.parametrize(
    "notice",
    ["Successfully validated SNS topic for Amazon SES event publishing.", "", "{", "[]", '"text"', "null", "7"],
)
def test_a_notice_that_is_no_event_is_passed_over(notice: str) -> None:
    assert parse_event(notice) is None
    assert parse_envelope({"Message": notice}) is None


def test_a_complaint_with_few_fields() -> None:
    notification = event("Complaint", REFERENCE)
    notification["complaint"] = {"feedbackId": "a\x00b" + "c" * 1000, "timestamp": "yesterday"}
    del notification["mail"]["destination"]
    report = parsed(notification).content
    assert (report.recipient, report.feedback_type, report.complained_at) == (None, None, None)
    assert report.feedback_id.startswith("a bccc")
    assert len(report.feedback_id) == 255


@pytest.mark.parametrize("kind", ["Delivery", "Bounce", "Complaint", "Reject"])
def test_a_task_published_again_has_the_same_event_and_no_personal_data(kind: str) -> None:
    found = parsed(event(kind, REFERENCE))
    again = parse_envelope(found.envelope)
    assert again == found
    assert ("@" in found.envelope["Message"]) == (kind == "Complaint")
    assert "bin day" not in found.envelope["Message"]


@pytest.mark.parametrize("kind", ["Send", "Open", "Click", "DeliveryDelay", "AmazonSnsSubscriptionSucceeded"])
def test_what_changes_nothing_is_passed_over(kind: str) -> None:
    assert parse_event(json.dumps({"notificationType": kind})) is None
    assert parse_event(json.dumps({"eventType": kind})) is None


@pytest.mark.parametrize(
    ("notification", "message"),
    [
        ("{}", "notificationType is missing or malformed"),
        ('{"notificationType": []}', "notificationType is missing or malformed"),
        (json.dumps({**event("Delivery", "a"), "mail": {}}), "mail.messageId is missing or malformed"),
        (json.dumps(event("Delivery", "")), "mail.messageId is missing or malformed"),
        (json.dumps(event("Delivery", "a\x00")), "mail.messageId is missing or malformed"),
        (json.dumps(event("Unheard-of", "a")), "unknown notificationType"),
    ],
)
def test_what_cannot_be_read(notification: str, message: str) -> None:
    with pytest.raises(ReceiptError) as caught:
        parse_event(notification)
    assert f"SES callback failed: {message}" in caught.value.messages
    assert "amala" not in str(caught.value)


@pytest.mark.parametrize("envelope", [None, [], {}, {"Message": {}}, {"Message": None}, "text"])
def test_an_envelope_without_a_message(envelope: Any) -> None:
    with pytest.raises(ReceiptError):
        parse_envelope(envelope)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.sampled_from(["Delivery", "Bounce", "Complaint"]),
    st.sampled_from(["notificationType", "mail", "messageId", "timestamp", "destination", "bounceType", "feedbackId"]),
    _JSON,
)
def test_whatever_stands_in_a_field_it_is_read_or_refused(kind: str, name: str, value: Any) -> None:
    notification = event(kind, REFERENCE)
    for part in (notification, notification["mail"], notification.get("bounce"), notification.get("complaint")):
        if part is not None and name in part:
            part[name] = value
    try:
        found = parse_event(json.dumps(notification))
    except ReceiptError:
        return
    assert found is None or parse_envelope(found.envelope) == found
