"""Text messages that providers receive for us (contract: public-api 13)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote_plus

from notify.infra.times import utc_now


class IncomingError(Exception):
    """A received text cannot be read: it is malformed or incomplete."""


@dataclass(frozen=True, slots=True)
class IncomingText:
    """A text message that a person sent to a service, as received from the provider (public-api 13). Numbers are
    unchanged. `reference` is the provider's id and `sent_at` the provider's time, if any.
    """

    provider: str
    to: str
    sender: str
    content: str
    reference: str | None = None
    sent_at: datetime | None = None


def incoming_field(values: Mapping[str, Any], name: str) -> str:
    """A field of a received text, which may be empty. Raises `IncomingError` if it is missing."""
    value = values.get(name)
    if value is None or isinstance(value, (dict, list)):
        raise IncomingError
    return str(value).replace("\0", "\ufffd")  # PostgreSQL's texts cannot hold NUL


_ESCAPE: Final = re.compile(
    r"""\\(?:\n|[\\'"abfnrtv]|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})"""
)


def unescape(text: str) -> str:
    """Decode a provider's text: `+` and percent codes, then escapes with a backslash (`\\n`, `\\'`, `\\x79`). What is
    not an escape stays, and so do letters of any alphabet.
    """
    text = _ESCAPE.sub(lambda match: codecs.decode(match[0], "unicode_escape"), unquote_plus(text))
    # join surrogates that were escaped separately
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def parse_incoming_time(value: str) -> datetime:
    """The time of a received text; its offset is dropped, and it counts as UTC. The current time if it cannot be read
    (contract: public-api 13).
    """
    for text in (unescape(value), value):  # the plus sign of an offset may not have been encoded
        try:
            return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
        except ValueError:
            continue
    return utc_now()
