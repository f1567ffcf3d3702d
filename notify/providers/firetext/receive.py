"""Receipts and received texts of Firetext (contract: workers 8.1, public-api 10, 13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import structlog

from notify.providers.base import Outcome, Receipt
from notify.providers.incoming import IncomingText, incoming_field, parse_incoming_time
from notify.providers.receiving import ReceiptReader, TextReader, is_among, parse_time, parse_uuid, require_fields
from notify.providers.settings import TextProviderSettings

logger = structlog.get_logger(__name__)

OUTCOMES: Final[Mapping[str, Outcome]] = {"0": "delivered", "1": "permanent-failure", "2": "pending"}

FAILURES: Final[Mapping[str, tuple[Outcome, str]]] = {
    "000": ("temporary-failure", "No error reported"),
    "101": ("permanent-failure", "Unknown Subscriber"),
    "102": ("temporary-failure", "Absent Subscriber"),
    "103": ("temporary-failure", "Subscriber Busy"),
    "104": ("temporary-failure", "No Subscriber Memory"),
    "201": ("permanent-failure", "Invalid Number"),
    "301": ("permanent-failure", "SMS Not Supported"),
    "302": ("temporary-failure", "SMS Not Supported"),
    "401": ("permanent-failure", "Message Rejected"),
    "900": ("temporary-failure", "Routing Error"),
}
"""Meanings of the detail codes of status 1."""

INBOUND_USER: Final = "notify"
"""The user name of Firetext's requests with received texts."""


class FiretextReceiver(ReceiptReader, TextReader):
    """Reads receipts and texts from Firetext."""

    identifier: ClassVar[str] = "firetext"

    def read_receipt(self, body: bytes, form: Mapping[str, str]) -> Receipt:
        """The receipt in a form. A failure's detail code only counts if Firetext sent the message. Without a known
        code, a failure after an interim `pending` is temporary.
        """
        status, reference = require_fields(form, ("status", "reference"), "Firetext")
        detail: Outcome | None = None
        reason = None
        if status == "1" and (code := form.get("code")):
            detail, reason = FAILURES.get(code, (None, None))
            if detail is None:
                logger.warning("unknown detail code", provider=self.identifier, code=code[:40])
        return Receipt(
            provider=self.identifier,
            notification_id=parse_uuid(reference),
            reference=None,
            outcome=OUTCOMES.get(status, "technical-failure"),
            outcome_if_pending="temporary-failure" if status == "1" else None,
            outcome_if_sent_by_provider=detail,
            delivered_at=parse_time(form.get("time")),
            reason=reason,
            unknown_status=None if status in OUTCOMES else status[:40],
        )

    def may_hand_in(self, user: str, password: str) -> bool:
        """With its user name, and any of its passwords."""
        known = is_among(user, [INBOUND_USER])
        return is_among(password, self.settings.part(TextProviderSettings).firetext_inbound_sms_auth) and known

    def read_incoming(self, body: bytes, form: Mapping[str, str]) -> IncomingText:
        """The text in a form. Firetext gives it no id."""
        return IncomingText(
            provider=self.identifier,
            to=incoming_field(form, "destination"),
            sender=incoming_field(form, "source"),
            content=incoming_field(form, "message"),
            sent_at=parse_incoming_time(incoming_field(form, "time")),
        )
