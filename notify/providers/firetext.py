"""Firetext: text messages (workers 6.3; receipts: workers 8.1, public-api 10; received texts: public-api 13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import structlog

from notify.infra.outbound import Outbound
from notify.providers.base import (
    Accepted,
    Outcome,
    OutgoingText,
    Provider,
    ProviderError,
    ProviderType,
    Receipt,
    parse_time,
    parse_uuid,
    require_fields,
)
from notify.providers.http import parse_answer, post, with_credentials
from notify.providers.incoming import IncomingText, incoming_field, is_among, parse_incoming_time
from notify.settings import Settings

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
"""What the detail codes of status 1 mean."""

INBOUND_USER: Final = "notify"
"""Whom Firetext says it is when it hands in a text."""


class Firetext(Provider[OutgoingText]):
    """The provider `firetext`."""

    identifier: ClassVar[str] = "firetext"
    notification_type: ClassVar[ProviderType] = "sms"
    supports_international: ClassVar[bool] = True

    @classmethod
    def is_configured(cls, settings: Settings) -> bool:
        """With a key."""
        return bool(settings.firetext_api_key)

    def __init__(self, settings: Settings, outbound: Outbound) -> None:
        super().__init__(settings, outbound)
        self._international_key = settings.firetext_international_api_key or settings.firetext_api_key
        receipts = with_credentials(
            settings.firetext_receipt_url, settings.firetext_delivery_status_callback_basic_auth_credentials
        )
        self._extra = {"receipt": receipts} if receipts else {}

    async def send(self, message: OutgoingText) -> Accepted:
        """Hand over one text: taken when the answer is 2xx and JSON with `code` 0."""
        form = {
            "apiKey": self._international_key if message.international else self.settings.firetext_api_key,
            "from": message.sender,
            "to": message.to.removeprefix("+"),
            "message": message.body,
            "reference": str(message.notification_id),
            **self._extra,
        }
        answer = await post(self.outbound, self.identifier, self.settings.firetext_url, data=form)
        parsed = parse_answer(answer, self.identifier)
        code = parsed.get("code") if isinstance(parsed, dict) else None
        try:
            number = int(str(code))
        except ValueError:
            raise ProviderError(self.identifier, "invalid_answer", code=answer.status) from None
        if number != 0:
            raise ProviderError(self.identifier, "refused", code=number)
        return Accepted()

    def read_receipt(self, body: bytes, form: Mapping[str, str]) -> Receipt:
        """The receipt in a form. A failure's detail code counts only where Firetext sent the message; without one that
        we know, a failure that follows an interim `pending` is temporary.
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
        """With the user that was agreed on, and any of its passwords."""
        return is_among(password, self.settings.firetext_inbound_sms_auth) and user == INBOUND_USER

    def read_incoming(self, body: bytes, form: Mapping[str, str]) -> IncomingText:
        """The text in a form. Firetext gives it no id."""
        return IncomingText(
            provider=self.identifier,
            to=incoming_field(form, "destination"),
            sender=incoming_field(form, "source"),
            content=incoming_field(form, "message"),
            sent_at=parse_incoming_time(incoming_field(form, "time")),
        )
