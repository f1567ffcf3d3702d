"""Callbacks of the printer about letters (contract: public-api 12). A token in the address authenticates it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import structlog
from flask import Blueprint, Response, request
from pydantic import (
    MISSING,
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)
from pydantic import ModelWrapValidatorHandler as Handler
from pydantic.alias_generators import to_camel
from pydantic_core import InitErrorDetails, PydanticCustomError

from notify.infra.container import Container
from notify.infra.errors import ProblemError
from notify.infra.http import read_json_value
from notify.infra.secrets import BadSignatureError
from notify.infra.validation import OUR_ERROR, complain, shown, validate
from notify.letters.printing.callback_tokens import CallbackTokens
from notify.letters.printing.publish import take_update
from notify.letters.printing.status_callback import LetterCallbacks, UnreadableCallbackError, read_update
from notify.public.v2 import errors

logger = structlog.get_logger(__name__)

_DATE_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_PROPERTIES: Final = {
    "postageClass": ("1ST", "2ND", "INTERNATIONAL"),
    "mailingProduct": (
        "UNCODED",
        "MM UNSORTED",
        "UNSORTED",
        "MM",
        "INT EU",
        "INT ROW",
        "UNSORTEDE",
        "MM ECONOMY",
    ),
}
"""Allowed values of these properties; others may have any."""
FEWEST_PROPERTIES: Final = 3


class InvalidCallbackError(ProblemError):
    """The callback is refused."""

    error = "InvalidRequest"


def _date_time(value: str) -> str:
    try:
        if _DATE_TIME.fullmatch(value):
            datetime.fromisoformat(value)
            return value
    except ValueError:
        pass
    raise complain(f"{shown(value)} is not a date-time")


def _uuid(value: str) -> str:
    try:
        UUID(value)
    except ValueError:
        raise complain("badly formed hexadecimal UUID string") from None
    return value


def _property(value: object) -> object:
    if isinstance(value, dict):
        key, text = value.get("key"), value.get("value")
        if isinstance(key, str) and isinstance(text, str) and text in _PROPERTIES.get(key, (text,)):
            return value
    raise complain(f"{shown(value)} is not valid under any of the given schemas")


def _unique(values: list[Any]) -> list[Any]:
    if any(value in values[:at] for at, value in enumerate(values)):
        raise complain(f"{shown(values)} has non-unique elements")
    return values


DateTimeText = Annotated[str, AfterValidator(_date_time)]
Property = Annotated[Any, PlainValidator(_property)]


class _Open(BaseModel):
    """A model that allows further fields. External names are in camel case."""

    model_config = ConfigDict(strict=True, extra="allow", alias_generator=to_camel)


class CallbackData(_Open):
    """The reported status of a letter."""

    despatch_properties: (
        Annotated[list[Property], Field(min_length=FEWEST_PROPERTIES, max_length=100), AfterValidator(_unique)]
        | MISSING
    ) = MISSING
    job_id: Annotated[str, AfterValidator(_uuid)]
    job_type: str | MISSING = MISSING
    job_status: Literal["DESPATCHED", "REJECTED"]
    template_reference: str | MISSING = MISSING
    transition_date: DateTimeText
    comment: str | MISSING = MISSING

    @model_validator(mode="wrap")
    @classmethod
    def _needs_properties(cls, value: Any, handler: Handler[CallbackData]) -> CallbackData:
        """A despatched letter needs its properties. This error comes after all others about missing fields."""
        given = isinstance(value, dict)
        lacks = given and value.get("jobStatus") == "DESPATCHED" and "despatchProperties" not in value
        found: list[InitErrorDetails] = []
        try:
            made = handler(value)
        except ValidationError as error:
            if not lacks:
                raise
            found = [_again(one) for one in error.errors(include_url=False)]
        if not lacks:
            return made
        found.append(InitErrorDetails(type="missing", loc=("despatchProperties",), input=value))
        raise ValidationError.from_exception_data(cls.__name__, found)


def _again(error: Any) -> InitErrorDetails:
    kind, context = error["type"], error.get("ctx", {})
    made = PydanticCustomError(OUR_ERROR, "{text}", context) if kind == OUR_ERROR else kind
    return InitErrorDetails(type=made, loc=error["loc"], input=error["input"], ctx=context)


class CallbackMetadata(_Open):
    """About the callback itself."""

    correlation_id: str


class LetterCallback(_Open):
    """Body of `POST /notifications/letter/status`."""

    spec_version: str | MISSING = MISSING
    type: str | MISSING = MISSING
    source: str | MISSING = MISSING
    id: str
    time: DateTimeText
    data_content_type: Literal["application/json"] | MISSING = MISSING
    data: CallbackData
    metadata: CallbackMetadata


def blueprint(container: Container) -> Blueprint:
    """`POST /notifications/letter/status`: answers when the update is queued, or applied."""
    routes = Blueprint("letter_receipts", __name__)
    errors.handle(routes)
    tokens = container.get(CallbackTokens)

    @routes.post("/notifications/letter/status")
    def letter_status() -> Response:
        try:
            notification_id = tokens.read(request.args.get("token", ""))
        except BadSignatureError:
            raise InvalidCallbackError("A valid token must be provided in the query string", status=403) from None
        data = validate(LetterCallback, _read()).data
        if data.job_id != notification_id:
            raise InvalidCallbackError("Notification ID in letter callback data does not match ID in token")
        try:
            update = read_update(data.model_dump(by_alias=True))
        except UnreadableCallbackError as error:
            raise InvalidCallbackError(f"Letter callback data cannot be read: {error}") from None
        logger.info("letter callback", id=notification_id, status=update.dvla_status)
        take_update(container.parts.queue, container.get(LetterCallbacks), update)
        return Response(status=204)

    return routes


def _read() -> Any:
    try:
        return read_json_value(request)
    except ProblemError as error:
        raise InvalidCallbackError(error.messages, error="BadRequest") from None
