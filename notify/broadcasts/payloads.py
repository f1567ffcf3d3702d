"""Payloads of the networks' proxies (contract: broadcasts 5, 6, 8.3). Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from notify.broadcasts.areas import polygons_of
from notify.broadcasts.content import is_welsh
from notify.infra.times import format_datetime

FORMATS: Final[Mapping[str, str]] = {"ee": "cap", "three": "cap", "o2": "cap", "vodafone": "ibag"}
NUMBERED: Final = ("vodafone",)
"""Networks whose messages have a number as well as an identifier."""
HEADLINE: Final = "GOV.UK Notify Broadcast"
_LANGUAGES: Final = {
    ("cap", False): "en-GB",
    ("cap", True): "cy-GB",
    ("ibag", False): "English",
    ("ibag", True): "Welsh",
}


class Addressed(NamedTuple):
    """A message as one network knows it. `created_at` is when the network's copy was made."""

    identifier: UUID
    number: int | None
    created_at: datetime


def cap_time(moment: datetime) -> str:
    """`2020-12-10T11:19:44-00:00`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S-00:00")


def number_text(number: int) -> str:
    """A message number as networks write it: `0000007b`."""
    return f"{number:08x}"


def link_test(provider: str, identifier: UUID, number: int | None) -> dict[str, Any]:
    """A test of the link to a network, which no phone shows."""
    return _message("test", provider, identifier, number)


def alert(
    provider: str,
    message: Addressed,
    *,
    body: str,
    areas: Mapping[str, Any],
    channel: str,
    sent: datetime,
    expires: datetime,
) -> dict[str, Any]:
    """An alert. `areas` are in either form."""
    return {
        **_message("alert", provider, message.identifier, message.number),
        "headline": HEADLINE,
        "description": body,
        "areas": [{"polygon": polygon} for polygon in polygons_of(areas)],
        "sent": cap_time(sent),
        "expires": cap_time(expires),
        "language": _LANGUAGES[FORMATS[provider], is_welsh(body)],
        "channel": channel,
    }


def cancel(provider: str, message: Addressed, *, earlier: Sequence[Addressed], sent: datetime) -> dict[str, Any]:
    """The cancellation of an alert. `earlier` are the messages about it that the network was sent, oldest first."""
    return {
        **_message("cancel", provider, message.identifier, message.number),
        "references": [_reference(each) for each in earlier],
        "sent": cap_time(sent),
    }


def _message(kind: str, provider: str, identifier: UUID, number: int | None) -> dict[str, Any]:
    message = {"message_type": kind, "identifier": str(identifier), "message_format": FORMATS[provider]}
    return message if number is None else message | {"message_number": number_text(number)}


def _reference(message: Addressed) -> dict[str, Any]:
    reference = {"message_id": str(message.identifier), "sent": format_datetime(message.created_at)}
    return reference if message.number is None else reference | {"message_number": number_text(message.number)}
