"""Notifications and events of SES about emails (contract: public-api 11), which arrive in messages of SNS.

An identity's notifications and a configuration set's events only differ in the name of the field with their type. Only
fields that decide the result must be valid: any other may be missing or malformed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import orjson
import structlog
from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError

from notify.infra.json_values import InvalidJSONError, parse_json
from notify.providers.base import Outcome, Receipt, ReceiptError
from notify.providers.mime import clean
from notify.providers.receiving import parse_time

logger = structlog.get_logger(__name__)

_UNIMPORTANT: Final = frozenset(
    {"AmazonSnsSubscriptionSucceeded", "Send", "Open", "Click", "DeliveryDelay", "Subscription"}
)
_NEVER_SENT: Final = frozenset({"Reject", "Rendering Failure"})
"""SES accepted the email and then did not send it, for example because of a virus."""
NOT_SPAM: Final = "not-spam"
"""The feedback type of a report that an email is not spam."""

_LONGEST_TEXT: Final = 255


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _object_or_none(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None


_Reference = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,200}$")]
_Text = Annotated[str | None, BeforeValidator(_text_or_none)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class _Mail(_Part):
    messageId: _Reference  # noqa: N815 - SES's names, here and below
    timestamp: _Text = None
    destination: Annotated[list[str], BeforeValidator(_texts)] = []


class _Delivery(_Part):
    timestamp: _Text = None


class _Bounce(_Part):
    bounceType: _Text = None  # noqa: N815
    timestamp: _Text = None


class _Complaint(_Part):
    feedbackId: _Text = None  # noqa: N815
    complaintFeedbackType: _Text = None  # noqa: N815
    timestamp: _Text = None


class _Notification(_Part):
    """The fields we need. Headers, and recipients except a complaint's, are not even kept in memory."""

    notificationType: str = Field(validation_alias=AliasChoices("notificationType", "eventType"))  # noqa: N815
    mail: _Mail
    delivery: Annotated[_Delivery | None, BeforeValidator(_object_or_none)] = None
    bounce: Annotated[_Bounce | None, BeforeValidator(_object_or_none)] = None
    complaint: Annotated[_Complaint | None, BeforeValidator(_object_or_none)] = None


@dataclass(frozen=True, slots=True)
class SpamReport:
    """A recipient marked an email as spam, or as not spam. `recipient` is None if SES does not name one; the texts are
    SES's.
    """

    reference: str
    recipient: str | None
    feedback_id: str | None
    feedback_type: str | None
    complained_at: datetime | None


@dataclass(frozen=True, slots=True)
class SESEvent:
    """A notification about the email with this reference, which SES accepted at `accepted_at` (aware UTC, or None):
    either a receipt or a complaint.
    """

    reference: str
    accepted_at: datetime | None
    content: Receipt | SpamReport
    envelope: dict[str, str]
    """`parse_envelope` restores the event from it. The only personal data is a complaint's recipient."""


def parse_envelope(envelope: Any) -> SESEvent | None:
    """The event in a message of SNS, in its field `Message`. Otherwise as `parse_event`."""
    text = envelope.get("Message") if isinstance(envelope, dict) else None
    if not isinstance(text, str):
        raise ReceiptError(["SES callback failed: Message missing"])
    return parse_event(text)


def parse_event(text: str | bytes) -> SESEvent | None:
    """The event in a notification of SES. None for one that changes nothing (an email was opened), and for text that is
    not an event, such as SES's message when a topic becomes its event destination.

    Raises `ReceiptError`, which quotes nothing.
    """
    try:
        parsed = parse_json(text)
    except InvalidJSONError:
        parsed = None
    if not isinstance(parsed, dict):
        logger.info("notice of SES ignored: not a JSON object")
        return None
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
        bounce = notification.bounce or _Bounce()
        outcome = "permanent-failure" if bounce.bounceType == "Permanent" else "temporary-failure"
        delivered_at = parse_time(bounce.timestamp)
        reason = bounce.bounceType
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
    complaint, mail = notification.complaint or _Complaint(), notification.mail
    return SpamReport(
        reference=mail.messageId,
        recipient=(mail.destination[0] or None) if mail.destination else None,
        feedback_id=_short(complaint.feedbackId),
        feedback_type=_short(complaint.complaintFeedbackType),
        complained_at=parse_time(complaint.timestamp),
    )


def _short(text: str | None) -> str | None:
    return clean(text)[:_LONGEST_TEXT] if text else None
