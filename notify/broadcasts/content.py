"""The text of an emergency alert (contract: broadcasts 1, 8.1). Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from notify.content.gsm import EXTENSION, WELSH_NOT_GSM, downgrade_to_gsm, replace_lookalikes
from notify.content.placeholders import Field, Personalisation
from notify.content.sms import SmsTemplate, tidy

MOST_GSM: Final = 1_395
"""Most characters of a text in GSM 03.38; those of its extension table count twice."""
MOST_OTHERS: Final = 615
"""Most characters of a text with a character that is not in GSM 03.38."""

_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def filled(content: str, values: Mapping[str, object]) -> str:
    """A template's text with its values, otherwise unchanged. Placeholders without a value stay."""
    return Field(content).fill(Personalisation(values))


def rendered(content: str, values: Mapping[str, object]) -> str:
    """A template's text as broadcast: with its values, white space tidied, and in characters that phones can show."""
    return SmsTemplate(content, gsm_only=True).render(values).text


def normalised(text: str) -> str:
    """A text without a template, as stored: line ends are newlines, quotes and dashes plain."""
    return replace_lookalikes(text.replace("\r\n", "\n")).replace("\r", "\n")


def broadcast_text(text: str) -> str:
    """A text without a template, as broadcast: in characters that phones can show, without control characters."""
    return downgrade_to_gsm(_CONTROL.sub("", tidy(text)))


def is_welsh(text: str) -> bool:
    """Whether a text has characters beyond GSM, which are those of Welsh."""
    return any(character in WELSH_NOT_GSM for character in downgrade_to_gsm(text))


def too_long(text: str) -> str | None:
    """The limit that the text exceeds, as words for an error message; None if it is short enough."""
    if is_welsh(text):
        if len(text) <= MOST_OTHERS:
            return None
        return f"{MOST_OTHERS:,} characters or fewer (because it could not be GSM7 encoded)"
    if len(text) + sum(character in EXTENSION for character in text) <= MOST_GSM:
        return None
    return f"{MOST_GSM:,} characters or fewer"
