"""Text messages (contract: content 5)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import ceil
from typing import Final

from notify.content.gsm import EXTENSION, KEPT, UNSENDABLE, WELSH_NOT_GSM, downgrade_to_gsm
from notify.content.placeholders import PATTERN, Field, Personalisation
from notify.content.text import collapse_newlines, normalise_lines, tidy_punctuation

LONGEST_MESSAGE: Final = 918
"""Characters a text message may have, without the name of its service."""

ONE_GSM, EACH_GSM = 160, 153
ONE_UNICODE, EACH_UNICODE = 70, 67
"""Units that fit where one fragment is enough, and in each of several."""

_NEEDS_WORK: Final = re.compile(r"[^ !-_a-~]|  | [,.]|^ | \Z")
"""Finds anything that tidying or downgrading might change. What it does not find in is printable ASCII without a grave
accent, which phones show as it is.
"""
_EXTENSION: Final = re.compile(r"[\^{}\\\[~\]|€]")
_WELSH: Final = re.compile("[" + "".join(sorted(WELSH_NOT_GSM)) + "]")


def _units(text: str) -> int:
    """UTF-16 code units, which is what `content_count` counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def tidy(text: str) -> str:
    """White space and line ends as they are sent."""
    return collapse_newlines(normalise_lines(tidy_punctuation(text))).strip()


@dataclass(frozen=True)
class SmsMessage:
    """A text message ready to be sent."""

    text: str
    """As it is sent, with the name of the service where that is put in front."""
    body: str
    """The same without that name: what the API shows."""
    before_downgrade: str
    prefix: str

    @cached_property
    def character_count(self) -> int:
        """Length of `text` in UTF-16 units."""
        return _units(self.text)

    @property
    def character_count_without_prefix(self) -> int:
        """Length of the message itself, as limits count it."""
        if not self.prefix:
            return self.character_count
        return max(self.character_count - _units(downgrade_to_gsm(self.prefix)) - 2, 0)

    @property
    def is_unicode(self) -> bool:
        """Whether a letter that GSM lacks makes every character cost more (5.5)."""
        return not self.before_downgrade.isascii() and _WELSH.search(self.before_downgrade) is not None

    @cached_property
    def fragments(self) -> int:
        """How many text messages the networks count this as."""
        count = self.character_count
        if self.is_unicode:
            return 1 if count <= ONE_UNICODE else ceil(count / EACH_UNICODE)
        count += len(_EXTENSION.findall(self.text))
        return 1 if count <= ONE_GSM else ceil(count / EACH_GSM)

    @property
    def is_too_long(self) -> bool:
        """More than 918 characters, not counting the name of the service."""
        return self.character_count_without_prefix > LONGEST_MESSAGE

    @property
    def is_empty(self) -> bool:
        """Nothing left but the name of the service."""
        return self.character_count_without_prefix == 0

    @property
    def unsendable_characters(self) -> frozenset[str]:
        """Characters that became `?`."""
        return frozenset(
            character for character in set(self.before_downgrade) - KEPT if downgrade_to_gsm(character) == UNSENDABLE
        )


assert set("^{}\\[~]|€") == EXTENSION  # noqa: S101 - `_EXTENSION` spells the same set


class SmsTemplate:
    """A template of text messages: parsed once, filled for many recipients. Thread-safe."""

    def __init__(self, content: str) -> None:
        self._field = Field(content)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names of the placeholders, in order of first appearance."""
        return self._field.placeholders

    def missing(self, values: Mapping[str, object]) -> list[str]:
        """Placeholders without a value."""
        return self._field.missing(values)

    def render(self, values: Mapping[str, object], prefix: str | None = None) -> SmsMessage:
        """The message with these values; `prefix` is the name of the service where that is put in front."""
        filled = self._field.fill(Personalisation(values))
        prefixed = f"{prefix.strip()}: {filled}" if prefix else filled
        if _NEEDS_WORK.search(prefixed) is None:
            return SmsMessage(prefixed, filled.strip() if prefix else filled, prefixed, prefix or "")
        tidied = tidy(prefixed)
        text = downgrade_to_gsm(tidied)
        body = downgrade_to_gsm(tidy(filled)) if prefix else text
        return SmsMessage(text, body, prefixed, prefix or "")


def template_length(content: str) -> int:
    """Characters that a template is sure to send, whatever is filled in: placeholders and conditional text count
    nothing, the blanks around them stay (content 5.4). Counted in UTF-16 units.
    """
    # a character of private use stands for what is filled in, so that the blanks around it are kept
    text = tidy(PATTERN.sub("\ue000", content))
    return _units(downgrade_to_gsm(text.replace("\ue000", "")))
