"""Bodies, queries and answers of the public API: models that validate, type and document."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    MISSING,
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    RootModel,
    ValidationInfo,
    WithJsonSchema,
)

from notify.content.email_addresses import InvalidEmailAddress, validate
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.infra.validation import HttpsUrl, Schema, Uuid, complain
from notify.messages.scheduled import FURTHEST


def _phone_number(value: str) -> str:
    try:
        PhoneNumber.parse(value).check(allow_international=True, allow_landline=True)
    except InvalidPhoneNumber as error:
        raise complain(error.api_text) from None
    return value


def _email_address(value: str) -> str:
    try:
        validate(value)
    except InvalidEmailAddress as error:
        raise complain(str(error)) from None
    return value


def scheduled_time(text: str) -> datetime:
    """The time of a scheduled message; UTC if it has no offset. Raises `ValueError`."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _heeded_time(value: str) -> str:
    return _checked_time(value, is_heeded=True)


def _scheduled_for(value: str, info: ValidationInfo) -> str:
    """`info.context` says whether the service may schedule messages."""
    return _checked_time(value, is_heeded=bool(info.context))


def _checked_time(value: str, *, is_heeded: bool) -> str:
    try:
        # if the time is ignored, its offset is dropped, not converted
        moment = scheduled_time(value) if is_heeded else datetime.fromisoformat(value).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise complain(
            "datetime format is invalid. It must be a valid ISO8601 date time format, "
            "https://en.wikipedia.org/wiki/ISO_8601"
        ) from None
    now = datetime.now(UTC)
    if moment < now:
        raise complain("datetime can not be in the past")
    if is_heeded and moment > now + FURTHEST:
        raise complain(f"datetime can only be {FURTHEST.days} days in the future")
    if not is_heeded and moment > now + timedelta(hours=24):
        raise complain("datetime can only be 24 hours in the future")
    return value


Reference = Annotated[
    str,
    Field(max_length=1000, description="Your own name for the message, to find it by. It need not be unique."),
]
Personalisation = Annotated[dict[str, Any], Field(description="Values for the template's placeholders.")]
ScheduledFor = Annotated[
    Annotated[str, AfterValidator(_scheduled_for)] | MISSING | None,
    Field(
        description="When to send the message, for services that may schedule: up to 4 days ahead, in UTC unless it "
        "has an offset. For all others it is checked, and otherwise ignored: messages are sent at once."
    ),
]
HeededTime = Annotated[
    Annotated[str, AfterValidator(_heeded_time)] | MISSING | None,
    Field(description="When to begin: up to 4 days ahead, in UTC unless it has an offset."),
]
SanitiseContentFor = Annotated[
    list[Any] | MISSING | None, Field(description="Names of the values whose links and Markdown are made harmless.")
]
MessageType = Literal["sms", "email", "letter"]
StatusFilter = Literal[
    "cancelled",
    "created",
    "sending",
    "sent",
    "delivered",
    "pending",
    "failed",
    "technical-failure",
    "temporary-failure",
    "permanent-failure",
    "pending-virus-check",
    "validation-failed",
    "virus-scan-failed",
    "returned-letter",
    "accepted",
    "received",
]
"""Statuses of filters, in the order of the error text: every status of a message, and the two of letters."""


class SmsRequest(Schema):
    """Body of `POST /v2/notifications/sms` (public-api 6.2)."""

    reference: Reference | MISSING = MISSING
    phone_number: Annotated[str, AfterValidator(_phone_number), Field(examples=["07900900123"])]
    template_id: Uuid
    personalisation: Personalisation = Field(default_factory=dict)
    scheduled_for: ScheduledFor = MISSING
    sms_sender_id: Uuid | MISSING = MISSING


class EmailRequest(Schema):
    """Body of `POST /v2/notifications/email` (public-api 6.3)."""

    reference: Reference | MISSING = MISSING
    email_address: Annotated[str, AfterValidator(_email_address), Field(examples=["amala@example.com"])]
    template_id: Uuid
    personalisation: Personalisation = Field(default_factory=dict)
    scheduled_for: ScheduledFor | MISSING = MISSING
    email_reply_to_id: Uuid | MISSING = MISSING
    one_click_unsubscribe_url: HttpsUrl | MISSING = MISSING
    sanitise_content_for: SanitiseContentFor = MISSING


class LetterRequest(Schema):
    """Body of `POST /v2/notifications/letter` without `content` (public-api 6.4)."""

    reference: Reference | MISSING = MISSING
    template_id: Uuid
    personalisation: Personalisation


def _pdf_postage(value: object) -> object:
    if value not in ("first", "second", "economy"):
        raise complain("invalid. It must be either first, second or economy.")
    return value


class PdfLetterRequest(Schema):
    """Body of `POST /v2/notifications/letter` with `content`, the PDF in base64 (public-api 6.5)."""

    reference: str
    content: str
    postage: Annotated[str, BeforeValidator(_pdf_postage)] | MISSING = MISSING


class LetterBody(RootModel[LetterRequest | PdfLetterRequest]):
    """Body of `POST /v2/notifications/letter`: precompiled if it has `content`."""


class NotificationsQuery(Schema):
    """Query of `GET /v2/notifications` (public-api 7.2)."""

    reference: str | MISSING = MISSING
    status: list[StatusFilter] = Field(default_factory=list)
    template_type: list[MessageType] = Field(default_factory=list)
    include_jobs: Literal["true", "True"] | MISSING = MISSING
    older_than: Uuid | MISSING = MISSING


class TemplatesQuery(Schema):
    """Query of `GET /v2/templates` (public-api 8)."""

    type: MessageType | MISSING = MISSING


class ReceivedTextsQuery(Schema):
    """Query of `GET /v2/received-text-messages` (public-api 9)."""

    older_than: Uuid | MISSING = MISSING


class PreviewRequest(BaseModel):
    """Body of `POST /v2/template/<id>/preview` (public-api 8). Unknown fields are ignored."""

    model_config = ConfigDict(strict=True, extra="ignore")

    personalisation: Personalisation = Field(default_factory=dict)


# -- answers: for documentation only, not applied to answers

DateTime = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]


class TemplateReference(BaseModel):
    """The version of a template that a message is made from."""

    id: Uuid
    version: int
    uri: str


class SmsContent(BaseModel):
    """The content of a text message."""

    from_number: str
    body: str


class EmailContent(BaseModel):
    """The content of an email. `body` is Markdown."""

    from_email: str
    body: str
    subject: str
    one_click_unsubscribe_url: str | None


class LetterContent(BaseModel):
    """The content of a letter. `body` is Markdown."""

    body: str
    subject: str


class _Accepted(BaseModel):
    id: Uuid
    reference: str | None
    uri: str
    template: TemplateReference
    scheduled_for: DateTime | None


class AcceptedSms(_Accepted):
    """A text message that will be sent."""

    content: SmsContent


class Sanitised(BaseModel):
    """A value before and after it was sanitised."""

    unsanitised: str
    sanitised: str


class AcceptedEmail(_Accepted):
    """An email that will be sent."""

    content: EmailContent
    sanitised_content: dict[str, Sanitised]


class AcceptedLetter(_Accepted):
    """A letter that will be printed."""

    content: LetterContent


class AcceptedPdfLetter(BaseModel):
    """A precompiled letter that will be printed after it is checked."""

    id: Uuid
    reference: str
    postage: str


class LetterAnswer(RootModel[AcceptedLetter | AcceptedPdfLetter]):
    """A letter that will be printed."""


class NotificationAnswer(BaseModel):
    """A message and its status (public-api 7.1)."""

    id: Uuid
    reference: str | None
    email_address: str | None
    phone_number: str | None
    line_1: str | None
    line_2: str | None
    line_3: str | None
    line_4: str | None
    line_5: str | None
    line_6: str | None
    postcode: str | None
    type: str
    status: str
    template: TemplateReference
    body: str
    subject: str | None
    created_at: DateTime
    created_by_name: str | None
    sent_at: DateTime | None
    completed_at: DateTime | None
    scheduled_for: DateTime | None
    postage: str | None
    one_click_unsubscribe_url: str | None
    cost_details: dict[str, Any]
    cost_in_pounds: float | None
    is_cost_data_ready: bool
    estimated_delivery: Annotated[DateTime, Field(description="Letters only.")] | MISSING = MISSING


class Links(BaseModel):
    """Links to the pages of a list."""

    current: str
    next: Annotated[str, Field(description="Absent on an empty page.")] | MISSING = MISSING


class NotificationsAnswer(BaseModel):
    """A page of messages, newest first."""

    notifications: list[NotificationAnswer]
    links: Links


class TemplateAnswer(BaseModel):
    """A template (public-api 8)."""

    id: Uuid
    type: str
    created_at: DateTime
    updated_at: DateTime | None
    created_by: str
    version: int
    body: str
    subject: str | None
    name: str
    personalisation: dict[str, Any]
    postage: str | None
    letter_contact_block: str | None


class TemplatesAnswer(BaseModel):
    """Templates, by name."""

    templates: list[TemplateAnswer]


class PreviewAnswer(BaseModel):
    """A preview of a template."""

    id: Uuid
    type: str
    version: int
    body: str
    html: str | None
    subject: str | None
    postage: str | None


class ReceivedText(BaseModel):
    """A text message that a person sent to the service."""

    id: Uuid
    created_at: DateTime
    service_id: Uuid
    notify_number: str
    user_number: str
    content: str


class ReceivedTextsAnswer(BaseModel):
    """A page of received text messages, newest first."""

    received_text_messages: list[ReceivedText]
    links: Links


class ErrorEntry(BaseModel):
    """An error."""

    model_config = ConfigDict(extra="allow")

    error: str
    message: str


class ErrorAnswer(BaseModel):
    """The errors of a request (public-api 3.1)."""

    status_code: int
    errors: list[ErrorEntry]


class ResultAnswer(BaseModel):
    """The error of an unknown path or method (public-api 3.2)."""

    result: str
    message: Any
