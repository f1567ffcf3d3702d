"""Bodies, queries and answers of version 1."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from notify.content.email_addresses import InvalidEmailAddress, validate
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.content.phone_numbers_2020 import fault_of_2020
from notify.infra.validation import complain

TYPES: Final = ("sms", "email", "letter")
PAGE_SIZE: Final = 250
LARGEST_PAGE: Final = 1000
"""Most messages on a page. Larger values are reduced to this."""
_NUMBER: Final = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")


def _phone_number(value: str) -> str:
    fault = fault_of_2020(value)
    if fault is None:
        try:
            PhoneNumber.parse(value).check(allow_international=True, allow_landline=True)
        except InvalidPhoneNumber as error:
            fault = error.api_text
    if fault is not None:
        raise complain(f"Invalid phone number: {fault}")
    return value


def _email_address(value: str) -> str:
    try:
        validate(value)
    except InvalidEmailAddress as error:
        raise complain(str(error)) from None
    return value


def _number(value: object) -> object:
    """A number in a query, which is text."""
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value):
            raise complain("Not a valid integer.")
        return int(value)
    return value


def _positive(value: int) -> int:
    if value < 1:
        raise complain("Not a positive integer")
    return value


def _type(value: str) -> str:
    if value not in TYPES:
        raise complain("Not a valid choice.")
    return value


def _types(values: object) -> object:
    return [{"template_type": value} for value in values] if isinstance(values, list) else values


Number = Annotated[int, BeforeValidator(_number)]
PositiveNumber = Annotated[Number, AfterValidator(_positive)]


class _LegacyRequest(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")

    template: str = Field(description="The id of the template.")
    personalisation: dict[str, Any] = Field(default_factory=dict, description="Values for the template's placeholders.")


class LegacySmsRequest(_LegacyRequest):
    """A text message to send."""

    to: Annotated[str, AfterValidator(_phone_number)] = Field(examples=["07900900123"])


class LegacyEmailRequest(_LegacyRequest):
    """An email to send."""

    to: Annotated[str, AfterValidator(_email_address)] = Field(examples=["amala@example.gov.uk"])


class LegacyType(BaseModel):
    """A type of message in a list: the contract's error texts need this nesting."""

    template_type: Annotated[str, AfterValidator(_type)]


class LegacyNotificationsQuery(BaseModel):
    """Filters and page of the list of messages."""

    template_type: Annotated[
        list[LegacyType],
        BeforeValidator(_types),
        WithJsonSchema({"type": "array", "items": {"type": "string", "enum": list(TYPES)}}),
    ] = Field(default_factory=list)
    status: list[str] = Field(default_factory=list)
    page: PositiveNumber = 1
    page_size: PositiveNumber = PAGE_SIZE
    limit_days: Number | None = None
    include_jobs: bool = False

    def types(self) -> list[str]:
        """The types of messages to list. None: all."""
        return [entry.template_type for entry in self.template_type]


class LegacyId(BaseModel):
    """The id of a message."""

    id: str


class LegacyAcceptedMessage(BaseModel):
    """An accepted message. A text message has no subject."""

    notification: LegacyId
    body: str
    template_version: int
    subject: str | None = None


class LegacyAccepted(BaseModel):
    """The answer about an accepted message."""

    data: LegacyAcceptedMessage


class LegacyTemplate(BaseModel):
    """The version of a template that a message was made from."""

    id: str
    name: str
    template_type: Literal["sms", "email", "letter"]
    version: int


class LegacyJob(BaseModel):
    """The job of a message."""

    id: str
    original_file_name: str


class LegacyNotification(BaseModel):
    """A message and its status. A text message has no subject."""

    id: str
    to: str
    job_row_number: int | None
    template_version: int
    billable_units: int
    notification_type: Literal["sms", "email", "letter"]
    created_at: str
    sent_at: str | None
    sent_by: str | None
    updated_at: str | None
    status: str
    reference: str | None
    template: LegacyTemplate
    service: str
    job: LegacyJob | None
    api_key: str | None
    body: str
    content_char_count: int | None
    subject: str | None = None


class LegacyNotificationData(BaseModel):
    """A message in its wrapper."""

    notification: LegacyNotification


class LegacyNotificationAnswer(BaseModel):
    """A message."""

    data: LegacyNotificationData


class LegacyLinks(BaseModel):
    """Relative URLs of other pages. There is no `prev` on the first page, no `next` and `last` on the last one."""

    prev: str = ""
    next: str = ""
    last: str = ""


class LegacyNotificationsAnswer(BaseModel):
    """A page of messages, newest first."""

    notifications: list[LegacyNotification]
    page_size: int
    total: int
    links: LegacyLinks


class LegacyErrorAnswer(BaseModel):
    """The errors: a text, or texts by field."""

    result: Literal["error"]
    message: str | dict[str, Any]
