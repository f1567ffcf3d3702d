"""Receipts and received texts of MMG (contract: public-api 10, 13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

from notify.providers.base import Outcome, Receipt, ReceiptError
from notify.providers.incoming import IncomingError, IncomingText, incoming_field, parse_incoming_time, unescape
from notify.providers.receiving import (
    ReceiptReader,
    TextReader,
    is_among,
    parse_json_object,
    parse_time,
    parse_uuid,
    require_fields,
)
from notify.providers.settings import TextProviderSettings

OUTCOMES: Final[Mapping[str, Outcome]] = {
    "2": "permanent-failure",
    "3": "delivered",
    "4": "temporary-failure",
    "5": "permanent-failure",
}

REASONS: Final[Mapping[str, Mapping[str, str]]] = {
    "2": {
        "1": "Number does not exist",
        "4": "Rejected by operator",
        "5": "Unidentified Subscriber",
        "9": "Undelivered",
        "11": "Service for Subscriber suspended",
        "12": "Illegal equipment",
        "2049": "Subscriber IMSI blacklisted",
        "2050": "Number blacklisted in do-not-disturb blacklist",
        "2052": "Destination number blacklisted",
        "2053": "Source address blacklisted",
    },
    "3": {"2": "Delivered to operator", "5": "Delivered to handset"},
    "4": {
        "6": "Absent Subscriber",
        "8": "Roaming not allowed",
        "13": "SMS Not Supported",
        "15": "Expired",
        "27": "Absent Subscriber",
        "29": "Invalid delivery report",
        "32": "Delivery Failure",
    },
    "5": {
        "6": "Network out of coverage",
        "8": "Incorrect number prefix",
        "10": "Number on do-not-disturb service",
        "11": "Sender id not registered",
        "13": "Sender id blacklisted",
        "14": "Destination number blacklisted",
        "19": "Routing unavailable",
        "20": "Rejected by anti-flooding mechanism",
        "21": "System error",
        "23": "Duplicate message id",
        "24": "Message formatted incorrectly",
        "25": "Message too long",
        "51": "Missing recipient value",
        "52": "Invalid destination",
    },
}


class MMGReceiver(ReceiptReader, TextReader):
    """Reads receipts and texts from MMG."""

    identifier: ClassVar[str] = "mmg"
    answer_where_unknown: ClassVar[str | None] = "RECEIVED"

    def read_receipt(self, body: bytes, form: Mapping[str, str]) -> Receipt:
        """The receipt in a JSON body, of any content type."""
        values = parse_json_object(body, "MMG")
        status, reference = require_fields(values, ("status", "CID"), "MMG")
        return Receipt(
            provider=self.identifier,
            notification_id=parse_uuid(reference),
            reference=None,
            outcome=OUTCOMES.get(status, "technical-failure"),
            delivered_at=parse_time(values.get("deliverytime")),
            reason=REASONS.get(status, {}).get(str(values.get("substatus"))),
            unknown_status=None if status in OUTCOMES else status[:40],
        )

    def may_hand_in(self, user: str, password: str) -> bool:
        """With any of its users and any of its passwords."""
        known = is_among(user, self.settings.part(TextProviderSettings).mmg_inbound_sms_username)
        return is_among(password, self.settings.part(TextProviderSettings).mmg_inbound_sms_auth) and known

    def read_incoming(self, body: bytes, form: Mapping[str, str]) -> IncomingText:
        """The text in a JSON body. Its content is encoded as in a form, and then with backslash escapes."""
        try:
            values = parse_json_object(body, "MMG")
        except ReceiptError:
            raise IncomingError from None
        sent_at = values.get("DateRecieved")  # their spelling
        return IncomingText(
            provider=self.identifier,
            to=incoming_field(values, "Number"),
            sender=incoming_field(values, "MSISDN"),
            content=unescape(incoming_field(values, "Message")),
            reference=None if values.get("ID") is None else incoming_field(values, "ID"),
            sent_at=None if sent_at is None else parse_incoming_time(str(sent_at)),
        )
