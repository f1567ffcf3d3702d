"""What SES says became of emails: its notifications and events (public-api 11), which come in messages of SNS.

An identity's notifications and a configuration set's events are alike, but for the name of the field with their type.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import orjson
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from notify.providers.base import Outcome, Receipt, ReceiptError, parse_time
from notify.providers.mime import clean

_UNIMPORTANT: Final = frozenset(
    {"AmazonSnsSubscriptionSucceeded", "Send", "Open", "Click", "DeliveryDelay", "Subscription"}
)
_NEVER_SENT: Final = frozenset({"Reject", "Rendering Failure"})
"""SES took the email and thought better of it, as with a virus in it."""

_LONGEST_TEXT: Final = 255

_Reference = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Mail(_Part):
    messageId: _Reference  # noqa: N815 - SES's names, here and below
    timestamp: str | None = None
    destination: list[str] = []


class _Delivery(_Part):
    timestamp: str | None = None


class _Bounce(_Part):
    bounceType: str  # noqa: N815
    timestamp: str | None = None


class _Complaint(_Part):
    feedbackId: str | None = None  # noqa: N815
    complaintFeedbackType: str | None = None  # noqa: N815
    timestamp: str | None = None


class _Notification(_Part):
    """The fields that count. Headers, and of the recipients all but a complaint's, are not even kept in memory."""

    notificationType: str = Field(validation_alias=AliasChoices("notificationType", "eventType"))  # noqa: N815
    mail: _Mail
    delivery: _Delivery | None = None
    bounce: _Bounce | None = None
    complaint: _Complaint | None = None


@dataclass(frozen=True, slots=True)
class SpamReport:
    """A recipient called an email spam. `recipient` is null where SES does not say; the texts are SES's."""

    reference: str
    recipient: str | None
    feedback_id: str | None
    feedback_type: str | None
    complained_at: datetime | None


@dataclass(frozen=True, slots=True)
class SESEvent:
    """A notification about the email with this reference, which SES took at `accepted_at` (aware UTC, if it says so):
    either a receipt or a complaint.
    """

    reference: str
    accepted_at: datetime | None
    content: Receipt | SpamReport
    envelope: dict[str, str]
    """What `parse_envelope` makes this event of again, with nothing personal in it but a complaint's recipient."""


def parse_envelope(envelope: Any) -> SESEvent | None:
    """The event in a message of SNS, of which the field `Message` counts. As `parse_event`."""
    text = envelope.get("Message") if isinstance(envelope, dict) else None
    if not isinstance(text, str):
        raise ReceiptError(["SES callback failed: Message missing"])
    return parse_event(text)


def parse_event(text: str | bytes) -> SESEvent | None:
    """The event in a notification of SES; null for one that changes nothing, such as that an email was opened. Raises
    `ReceiptError`, which quotes nothing.
    """
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, dict):
        raise ReceiptError(["SES callback failed: the notification is not a JSON object"])
    kind = parsed.get("notificationType", parsed.get("eventType"))
    if isinstance(kind, str) and kind in _UNIMPORTANT:
        return None
    try:
        notification = _Notification.model_validate(parsed)
    except ValidationError as error:
        fields = dict.fromkeys(".".join(map(str, item["loc"])) for item in error.errors())
        raise ReceiptError([f"SES callback failed: {field} is missing or malformed" for field in fields]) from None
    return _event(notification)


def _event(notification: _Notification) -> SESEvent:
    mail = notification.mail
    content = _spam_report(notification) if notification.notificationType == "Complaint" else _receipt(notification)
    kept = notification.model_dump(exclude_none=True, exclude={"mail": {"destination"}})
    if isinstance(content, SpamReport) and content.recipient:
        kept["mail"]["destination"] = [content.recipient]
    return SESEvent(mail.messageId, parse_time(mail.timestamp), content, {"Message": orjson.dumps(kept).decode()})


def _receipt(notification: _Notification) -> Receipt:
    kind, delivered_at, reason = notification.notificationType, None, None
    outcome: Outcome
    if kind == "Delivery":
        outcome = "delivered"
        delivered_at = parse_time(notification.delivery.timestamp) if notification.delivery else None
    elif kind == "Bounce":
        if notification.bounce is None:
            raise ReceiptError(["SES callback failed: bounce is missing or malformed"])
        outcome = "permanent-failure" if notification.bounce.bounceType == "Permanent" else "temporary-failure"
        delivered_at = parse_time(notification.bounce.timestamp)
        reason = notification.bounce.bounceType
    elif kind in _NEVER_SENT:
        outcome, reason = "technical-failure", kind
    else:
        raise ReceiptError(["SES callback failed: unknown notificationType"])
    return Receipt(
        provider="ses",
        notification_id=None,
        reference=notification.mail.messageId,
        outcome=outcome,
        delivered_at=delivered_at,
        reason=reason,
    )


def _spam_report(notification: _Notification) -> SpamReport:
    complaint, mail = notification.complaint, notification.mail
    if complaint is None:
        raise ReceiptError(["SES callback failed: complaint is missing or malformed"])
    return SpamReport(
        reference=mail.messageId,
        recipient=mail.destination[0] if mail.destination else None,
        feedback_id=_text(complaint.feedbackId),
        feedback_type=_text(complaint.complaintFeedbackType),
        complained_at=parse_time(complaint.timestamp),
    )


def _text(text: str | None) -> str | None:
    return clean(text)[:_LONGEST_TEXT] if text else None
