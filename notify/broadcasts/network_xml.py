"""The XML that the networks' proxies make from our payloads: CAP 1.2 and IBAG 1.0 (contract: broadcasts 9).

The proxies are separate programs, so nothing here is sent to a network: the sandbox shows it. Elements whose value the
contract does not fix take it from the payload.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from lxml import etree

Payload = Mapping[str, Any]

SENDER: Final = "broadcasts@notifications.service.gov.uk"
ALERTS_PAGE: Final = "https://www.gov.uk/alerts"
CAP: Final = "urn:oasis:names:tc:emergency:cap:1.2"
IBAG: Final = "ibag:1.0"
CAP_EVENTS: Final = {"test": "RMT", "operator": "OPR", "severe": "Alert", "government": "EAN"}
IBAG_CATEGORIES: Final = {
    "test": "4380-CAT5-ENGLISH",
    "operator": "4382-CAT7-ENGLISH",
    "severe": "4378-CAT3-ENGLISH",
    "government": "4370-CAT1-ENGLISH",
}

Element = tuple[str, "str | list[Element]"]
"""A tag, and its text or its children."""


def document_of(payload: Payload) -> str | None:
    """The XML for a network, or None if there is none for this kind of message."""
    kind = str(payload.get("message_type"))
    if payload.get("message_format") == "cap" and kind in _CAP:
        return _document(CAP, "alert", _CAP[kind](payload))
    if payload.get("message_format") == "ibag" and kind in _IBAG:
        return _document(IBAG, "IBAG_Alert_Attributes", _IBAG[kind](payload))
    return None


def _document(namespace: str, tag: str, elements: list[Element]) -> str:
    root = etree.fromstring(f'<{tag} xmlns="{namespace}"/>')
    _append(root, namespace, elements)
    etree.indent(root)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True).decode()


def _append(parent: etree._Element, namespace: str, elements: list[Element]) -> None:
    for tag, content in elements:
        element = etree.SubElement(parent, f"{{{namespace}}}{tag}")
        if isinstance(content, str):
            element.text = content or None
        else:
            _append(element, namespace, content)


def _now() -> str:
    return datetime.now(UTC).replace(second=0, microsecond=0).isoformat()


def _polygon(area: Payload) -> str:
    return " ".join(f"{latitude},{longitude}" for latitude, longitude in area["polygon"])


# -- CAP


def _cap(payload: Payload, sent: str, status: str, kind: str) -> list[Element]:
    return [
        ("identifier", payload["identifier"]),
        ("sender", SENDER),
        ("sent", sent),
        ("status", status),
        ("msgType", kind),
        ("scope", "Public"),
    ]


def _cap_test(payload: Payload) -> list[Element]:
    return _cap(payload, _now(), "Test", "Alert")


def _cap_alert(payload: Payload) -> list[Element]:
    info: list[Element] = [
        ("language", payload["language"]),
        ("category", "Safety"),
        ("event", CAP_EVENTS[payload["channel"]]),
        ("urgency", "Expected"),
        ("severity", "Severe"),
        ("certainty", "Likely"),
        ("expires", payload["expires"]),
        ("senderName", "GOV.UK Emergency Alerts"),
        ("headline", payload["headline"]),
        ("description", payload["description"]),
    ]
    for number, area in enumerate(payload["areas"], 1):
        info.append(("area", [("areaDesc", f"area-{number}"), ("polygon", _polygon(area))]))
    return [*_cap(payload, payload["sent"], "Actual", "Alert"), ("info", info)]


def _cap_cancel(payload: Payload) -> list[Element]:
    references = " ".join(f"{SENDER},{each['message_id']},{each['sent']}" for each in payload["references"])
    return [*_cap(payload, payload["sent"], "Actual", "Cancel"), ("references", references)]


# -- IBAG


def _ibag_head(payload: Payload) -> list[Element]:
    return [
        ("IBAG_protocol_version", "1.0"),
        ("IBAG_sending_gateway_id", SENDER),
        ("IBAG_message_number", payload["message_number"]),
    ]


def _ibag_test(payload: Payload) -> list[Element]:
    return [
        *_ibag_head(payload),
        ("IBAG_sent_date_time", _now()),
        ("IBAG_status", "System"),
        ("IBAG_message_type", "Link Test"),
        ("IBAG_Digital_Signature", ""),
    ]


def _ibag_message(payload: Payload, kind: str) -> list[Element]:
    return [
        ("IBAG_sender", SENDER),
        ("IBAG_sent_date_time", payload["sent"]),
        ("IBAG_status", "Actual"),
        ("IBAG_message_type", kind),
        ("IBAG_cap_alert_uri", ALERTS_PAGE),
        ("IBAG_cap_identifier", payload["identifier"]),
        ("IBAG_cap_sent_date_time", payload["sent"]),
    ]


def _ibag_alert(payload: Payload) -> list[Element]:
    text = payload["description"]
    info: list[Element] = [
        ("IBAG_category", "Safety"),
        ("IBAG_event_code", "LAE"),
        ("IBAG_severity", "Severe"),
        ("IBAG_urgency", "Expected"),
        ("IBAG_certainty", "Likely"),
        ("IBAG_expires_date_time", payload["expires"]),
        ("IBAG_text_language", payload["language"]),
        ("IBAG_text_alert_message_length", str(len(text.encode()))),
        ("IBAG_text_alert_message", text),
        ("IBAG_channel_category", IBAG_CATEGORIES[payload["channel"]]),
    ]
    for number, area in enumerate(payload["areas"], 1):
        info.append(
            ("IBAG_Alert_Area", [("IBAG_area_description", f"area-{number}"), ("IBAG_polygon", _polygon(area))])
        )
    return [
        *_ibag_head(payload),
        *_ibag_message(payload, "Alert"),
        ("IBAG_alert_info", info),
        ("IBAG_Digital_Signature", ""),
    ]


def _ibag_cancel(payload: Payload) -> list[Element]:
    last = payload["references"][-1]
    return [
        *_ibag_head(payload),
        ("IBAG_referenced_message_number", last["message_number"]),
        ("IBAG_referenced_message_cap_identifier", last["message_id"]),
        *_ibag_message(payload, "Cancel"),
        ("IBAG_Digital_Signature", ""),
    ]


Maker = Callable[[Payload], list[Element]]
_CAP: Final[Mapping[str, Maker]] = {"test": _cap_test, "alert": _cap_alert, "cancel": _cap_cancel}
_IBAG: Final[Mapping[str, Maker]] = {"test": _ibag_test, "alert": _ibag_alert, "cancel": _ibag_cancel}
