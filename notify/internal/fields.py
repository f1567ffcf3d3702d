"""Types of the fields of bodies, queries and answers. Views never format or parse: the types of the fields do.

Answers: `Moment` to `Day` are the contract's forms of a date (D1 to D5), `Money` is a decimal as text. A plain `float`,
`int`, `str`, `bool` or `UUID` has its usual JSON form.

Bodies and queries: pydantic's `int`, `str`, `bool`, `float`, `list`, `dict` and `Literal[...]`, and the types of the
second half of this file. A plain `UUID`, `date` or `datetime` is refused when the endpoint is declared, because its
parsing and error texts would differ from the contract's.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from email.utils import format_datetime as formathttp_date
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError, PydanticKnownError

from notify.content.email_addresses import InvalidEmailAddress, validate
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.infra.errors import NotFoundProblemError
from notify.infra.times import LONDON, format_datetime
from notify.infra.validation import HttpsUrl, Uuid, complain, parse_uuid, shown

__all__ = [
    "WHOLE",
    "AnyJson",
    "Day",
    "EmailAddress",
    "HttpDate",
    "HttpsUrl",
    "IntText",
    "Integer",
    "IsoDate",
    "IsoDateTime",
    "LocalMoment",
    "Moment",
    "Money",
    "NaiveMoment",
    "NonEmpty",
    "PhoneNumberText",
    "RowId",
    "SpacedMoment",
    "SpacedTime",
    "TextOfNone",
    "TruncatedInt",
    "Uuid",
    "ZonedMoment",
    "http_date",
    "read_day",
    "row_id",
]

_DAY_SHAPE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LOOSE_DAY: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_NO_DATE: Final = "Not a valid date."
_NO_TIME: Final = "Not a valid datetime."
_DATE_TIME: Final = {"type": "string", "format": "date-time"}


# -- answers


def _naive(moment: datetime) -> datetime:
    """UTC without an offset, as in the contract's older forms."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _spaced(moment: datetime) -> str:
    return _naive(moment).isoformat(" ", "microseconds")


def http_date(moment: date | datetime) -> str:
    """A moment, or a day's midnight, in form D3."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    return formathttp_date(_naive(moment).replace(tzinfo=UTC), usegmt=True)


def _local(moment: datetime) -> str:
    return moment.astimezone(LONDON).strftime("%Y-%m-%d %H:%M:%S")


def _plain(amount: Decimal) -> str:
    return format(amount.normalize(), "f")


def _shaped(write: Any, description: str) -> tuple[Any, ...]:
    schema = {"type": "string", "description": description}
    return PlainSerializer(write, return_type=str), WithJsonSchema(schema, mode="serialization")


Moment = Annotated[
    datetime,
    PlainSerializer(format_datetime, return_type=str),
    WithJsonSchema(_DATE_TIME, mode="serialization"),
]
"""D1: `2017-01-01T10:00:00.000000Z`."""

SpacedMoment = Annotated[datetime, *_shaped(_spaced, "UTC: 2017-01-01 10:00:00.000000")]
"""D2: `2017-01-01 10:00:00.000000`, UTC."""

HttpDate = Annotated[date | datetime, *_shaped(http_date, "Thu, 28 Jun 2018 12:00:00 GMT")]
"""D3: `Thu, 28 Jun 2018 12:00:00 GMT`; a date is its midnight."""

NaiveMoment = Annotated[datetime, *_shaped(lambda moment: _naive(moment).isoformat(), "UTC: 2017-01-01T10:00:00")]
"""D4: `2017-01-01T10:00:00`, UTC; with microseconds where there are any."""

LocalMoment = Annotated[datetime, *_shaped(_local, "Local time in London: 2017-01-01 10:00:00")]
"""`2017-01-01 10:00:00` in London's local time."""

ZonedMoment = Annotated[
    datetime, *_shaped(lambda moment: moment.astimezone(UTC).isoformat(), "2017-01-01T10:00:00+00:00")
]
"""`2017-01-01T10:00:00+00:00`; with microseconds where there are any."""

Day = Annotated[
    date, PlainSerializer(date.isoformat, return_type=str), WithJsonSchema({"type": "string", "format": "date"})
]
"""D5: `2017-01-01`."""

Money = Annotated[Decimal, PlainSerializer(_plain, return_type=str), WithJsonSchema({"type": "string"})]
"""A decimal as text, without trailing zeros: `"0.66"`, `"1.8"`. Where the contract has a JSON number, the field is a
`float`.
"""

TextOfNone = Annotated[Any, PlainSerializer(str, return_type=str), WithJsonSchema({"type": "string"})]
"""A value as text; None becomes the text `None`, as in the contract."""


# -- bodies and queries


def _iso_date(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    if not _DAY_SHAPE.fullmatch(value):
        raise complain(f"{shown(value)} is not a date", _NO_DATE)
    year, month, day = (int(part) for part in value.split("-"))
    if not 1 <= month <= 12:
        raise complain("month must be in 1..12", _NO_DATE)
    try:
        return date(year, month, day)
    except ValueError:
        raise complain("day is out of range for month" if year else "year 0 is out of range", _NO_DATE) from None


def read_day(text: str) -> date | None:
    """The day of a text like `2017-01-01` or `2017-1-1`, the forms that databases and `strptime` accept; None for other
    text.
    """
    found = _LOOSE_DAY.fullmatch(text)
    try:
        return date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        return None


def _iso_date_time(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise complain(f"{shown(value)} is not of type string", _NO_TIME)
    try:
        return datetime.fromisoformat(value).replace(tzinfo=UTC)  # an offset is dropped, not converted
    except ValueError:
        raise complain(
            "datetime format is invalid. It must be a valid ISO8601 date time format, "
            "https://en.wikipedia.org/wiki/ISO_8601",
            _NO_TIME,
        ) from None


def _email_address(value: str) -> str:
    try:
        validate(value)
    except InvalidEmailAddress as error:
        raise complain(str(error)) from None
    return value


def _phone_number(value: str) -> str:
    try:
        PhoneNumber.parse(value).check(allow_international=True, allow_landline=True)
    except InvalidPhoneNumber as error:
        raise complain(error.api_text) from None
    return value


def _not_none(value: Any) -> Any:
    if value is None:
        raise complain("Field may not be null.")
    return value


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _int_text(value: object) -> object:
    """A number in a query, which is text. Refuses forms that only Python accepts (`1_000`, digits of other scripts)."""
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,18}\s*", value, re.ASCII):
        return int(value)
    return value


def _truncated(value: object) -> object:
    if isinstance(value, float):
        try:
            return int(value)
        except (OverflowError, ValueError):
            raise complain("Not a valid integer.") from None
    return value


def _spaced_time(value: object) -> datetime:
    try:
        return datetime.strptime(str(value), "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    except ValueError:
        raise complain(_NO_TIME) from None


def row_id(value: object) -> UUID:
    """The id in a `RowId`. Raises `NotFoundProblemError` if it is not a UUID, as for an unknown id."""
    try:
        return parse_uuid(value)
    except PydanticCustomError:
        raise NotFoundProblemError from None


IsoDate = Annotated[date, PlainValidator(_iso_date), WithJsonSchema({"type": "string", "format": "date"})]
"""`YYYY-MM-DD`. Schema words: `start_date foo is not a date`, `start_date month must be in 1..12`."""

IsoDateTime = Annotated[datetime, PlainValidator(_iso_date_time), WithJsonSchema(_DATE_TIME)]
"""As `datetime.fromisoformat` accepts; an offset is dropped, not converted (public-api 4, `scheduled_for`)."""

EmailAddress = Annotated[str, AfterValidator(_email_address), Field(examples=["amala@example.gov.uk"])]
"""`Not a valid email address`, in both families of words."""

PhoneNumberText = Annotated[str, AfterValidator(_phone_number), Field(examples=["07900900123"])]
"""A number that texts can be sent to, kept as typed; the words of the public API (public-api 5.3)."""

NonEmpty = Annotated[str, Field(min_length=1)]
"""Schema words: `name  should be non-empty`."""

AnyJson = Annotated[Any, AfterValidator(_not_none)]
"""Any JSON value except null, in field words."""

RowId = Annotated[Any, AfterValidator(_not_none), WithJsonSchema({"type": "string", "format": "uuid"})]
"""An id that the contract looks up without checking its form, in field words: see `row_id`."""

TruncatedInt = Annotated[int, BeforeValidator(_truncated), Field(strict=False)]
"""A whole number that may be given as text or as a decimal, which loses its fraction: `12.9` is 12."""

SpacedTime = Annotated[datetime, PlainValidator(_spaced_time), WithJsonSchema(_DATE_TIME)]
"""D2, with a fraction: `2017-01-01 10:00:00.000000`. Field words: `Not a valid datetime.`"""

WHOLE: Final = BeforeValidator(_whole)
Integer = Annotated[int, WHOLE]
"""A JSON-schema integer: `3.0` is one, `3.5`, `"3"` and `true` are none (internal-users 0, draft 7)."""

IntText = Annotated[int, BeforeValidator(_int_text)]
"""A number of a query. Schema words: `page x is not of type integer`; field words: `Not a valid integer.`"""
