"""The XML for the networks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from lxml import etree

from notify.broadcasts import payloads
from notify.broadcasts.cap_schema import SCHEMA
from notify.broadcasts.network_xml import document_of
from notify.broadcasts.payloads import Addressed

NOW = datetime(2023, 5, 1, 10, 0, 30, 123456, UTC)
LATER = datetime(2023, 5, 2, 8, 30, tzinfo=UTC)
ONE, TWO = UUID(int=1), UUID(int=2)
AREAS = {
    "ids": ["a"],
    "simple_polygons": [[[51.5, -0.1], [51.6, -0.1], [51.6, 0.0], [51.5, -0.1]], [[1, 2], [3, 4], [5, 6]]],
}


def _alert(
    provider: str, number: int | None = None, body: str = "Go up & <stay>.\nNow", channel: str = "severe"
) -> dict[str, Any]:
    message = Addressed(ONE, number, NOW)
    return payloads.alert(provider, message, body=body, areas=AREAS, channel=channel, sent=NOW, expires=LATER)


def _root(payload: dict[str, Any]) -> etree._Element:
    document = document_of(payload)
    assert document is not None
    return etree.fromstring(document.encode())


def _tags(root: etree._Element) -> list[str]:
    return [etree.QName(element).localname for element in root]


def _text(root: etree._Element, tag: str) -> str | None:
    return root.findtext(f".//{{*}}{tag}")


def test_alerts_and_cancellations_are_valid_cap() -> None:
    schema = etree.XMLSchema(etree.fromstring(SCHEMA.encode()))
    cancel = payloads.cancel("ee", Addressed(TWO, None, LATER), earlier=[Addressed(ONE, None, NOW)], sent=LATER)
    for payload in (_alert("ee"), _alert("o2", body="Dŵr"), cancel, payloads.link_test("three", ONE, None)):
        root = _root(payload)
        assert schema.validate(root), schema.error_log


def test_a_cap_alert() -> None:
    root = _root(_alert("ee"))
    assert _tags(root) == ["identifier", "sender", "sent", "status", "msgType", "scope", "info"]
    info = root[-1]
    assert _tags(info) == [
        *("language", "category", "event", "urgency", "severity", "certainty", "expires"),
        *("senderName", "headline", "description", "area", "area"),
    ]
    assert _text(info, "description") == "Go up & <stay>.\nNow"
    assert _text(info, "polygon") == "51.5,-0.1 51.6,-0.1 51.6,0.0 51.5,-0.1"
    assert _text(info, "event") == "Alert"
    assert _text(info, "language") == "en-GB"
    assert [area.findtext("{*}areaDesc") for area in info.findall("{*}area")] == ["area-1", "area-2"]


def test_a_cap_cancellation_refers_to_its_alert() -> None:
    cancel = payloads.cancel("ee", Addressed(TWO, None, LATER), earlier=[Addressed(ONE, None, NOW)], sent=LATER)
    root = _root(cancel)
    assert _text(root, "references") == (f"broadcasts@notifications.service.gov.uk,{ONE},2023-05-01T10:00:30.123456Z")


def test_an_ibag_alert() -> None:
    root = _root(_alert("vodafone", 123, body="Dŵr yn codi", channel="government"))
    assert _tags(root) == [
        *("IBAG_protocol_version", "IBAG_sending_gateway_id", "IBAG_message_number", "IBAG_sender"),
        *("IBAG_sent_date_time", "IBAG_status", "IBAG_message_type", "IBAG_cap_alert_uri", "IBAG_cap_identifier"),
        *("IBAG_cap_sent_date_time", "IBAG_alert_info", "IBAG_Digital_Signature"),
    ]
    assert _text(root, "IBAG_message_number") == "0000007b"
    assert _text(root, "IBAG_text_language") == "Welsh"
    assert _text(root, "IBAG_text_alert_message_length") == "12"
    assert _text(root, "IBAG_channel_category") == "4370-CAT1-ENGLISH"


def test_an_ibag_cancellation_names_the_last_message() -> None:
    earlier = [Addressed(ONE, 1, NOW), Addressed(UUID(int=3), 2, NOW)]
    root = _root(payloads.cancel("vodafone", Addressed(TWO, 3, LATER), earlier=earlier, sent=LATER))
    assert _text(root, "IBAG_referenced_message_number") == "00000002"
    assert _text(root, "IBAG_referenced_message_cap_identifier") == str(UUID(int=3))


def test_link_tests() -> None:
    assert _text(_root(payloads.link_test("vodafone", ONE, 5)), "IBAG_message_type") == "Link Test"
    assert _text(_root(payloads.link_test("ee", ONE, None)), "status") == "Test"


def test_other_messages_have_no_document() -> None:
    assert document_of({"identifier": "x"}) is None
    assert document_of(_alert("ee") | {"message_type": "update"}) is None
