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
    """A received text that cannot be read: it is malformed, or something is missing."""


@dataclass(frozen=True, slots=True)
class IncomingText:
    """A text message that a person sent to a service, as the provider gives it to us (public-api 13). Numbers are as
    received. `reference` is the provider's id and `sent_at` the provider's time, where there are any.
    """

    provider: str
    to: str
    sender: str
    content: str
    reference: str | None = None
    sent_at: datetime | None = None


def incoming_field(values: Mapping[str, Any], name: str) -> str:
    """A field of a received text; it may be empty. Raises `IncomingError` where there is none."""
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
    # halves of a character that were escaped one by one become one
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "\ufffd")


def parse_incoming_time(value: str) -> datetime:
    """The time of a received text. Its offset is dropped: it counts as UTC. Now, where it cannot be read
    (contract: public-api 13).
    """
    for text in (unescape(value), value):  # the plus sign of an offset may not have been encoded
        try:
            return datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
        except ValueError:
            continue
    return utc_now()
