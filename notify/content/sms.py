"""Text messages (contract: content 5)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from math import ceil
from typing import Final

from notify.content.gsm import (
    EXTENSION,
    KEPT,
    NOT_GSM,
    UNSENDABLE,
    WELSH_NOT_GSM,
    downgrade_to_gsm,
    replace_lookalikes,
)
from notify.content.links import link_addresses
from notify.content.placeholders import (
    PATTERN,
    Field,
    Personalisation,
    escape,
    escaped_names,
    marked,
    marked_without_brackets,
    redacted,
    redacted_text,
)
from notify.content.text import break_lines, collapse_newlines, normalise_lines, tidy_punctuation

LONGEST_MESSAGE: Final = 918
"""Most UTF-16 code units of a text message, without the name of its service."""

ONE_GSM, EACH_GSM = 160, 153
ONE_UNICODE, EACH_UNICODE = 70, 67
"""Units that fit into a single fragment, and into each of several."""

_UNUSUAL: Final = re.compile(r"[^ !-_a-~]")
"""Anything but the printable ASCII characters of GSM, which lacks the grave accent."""
_EXTENSION: Final = re.compile(f"[{re.escape(''.join(sorted(EXTENSION)))}]")
_WELSH: Final = re.compile(f"[{''.join(sorted(WELSH_NOT_GSM))}]")


def _units(text: str) -> int:
    """UTF-16 code units, which is what `content_count` counts."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def _is_tidy(text: str) -> bool:
    """Whether neither tidying nor replacing characters would change anything."""
    return (
        _UNUSUAL.search(text) is None
        and "  " not in text
        and " ," not in text
        and " ." not in text
        and not text.startswith(" ")
        and not text.endswith(" ")
    )


def tidy(text: str) -> str:
    """White space and line ends as they are sent."""
    return collapse_newlines(normalise_lines(tidy_punctuation(text))).strip()


class SmsMessage:
    """A text message ready to be sent: `filled` is its text with the values in it, `prefix` the name of the service
    where that is put in front. With `gsm_only` the text is downgraded for providers that cannot take Unicode.
    """

    text: str
    """As it is sent."""
    original: str
    """The same before characters were replaced."""

    def __init__(self, filled: str, prefix: str = "", *, gsm_only: bool = False) -> None:
        self._filled = filled
        self.prefix = prefix
        self.gsm_only = gsm_only
        whole = f"{prefix.strip()}: {filled}" if prefix else filled
        if _is_tidy(whole):
            self.original = self.text = whole
            self._has_unicode = False
        else:
            self.original = tidy(whole)
            self.text = self._convert(self.original)

    @property
    def _convert(self) -> Callable[[str], str]:
        return _converter(self.gsm_only)

    @cached_property
    def body(self) -> str:
        """The text without the name of the service: what the API shows."""
        return SmsMessage(self._filled, gsm_only=self.gsm_only).text if self.prefix else self.text

    @cached_property
    def character_count(self) -> int:
        """Length of `text` in UTF-16 code units."""
        return _units(self.text)

    @property
    def character_count_without_prefix(self) -> int:
        """Length of the message itself, as limits count it."""
        if not self.prefix:
            return self.character_count
        return max(self.character_count - _units(self._convert(self.prefix)) - 2, 0)

    @property
    def is_unicode(self) -> bool:
        """Whether a character that GSM lacks makes every character cost more (5.3, 5.5)."""
        return self._has_unicode

    @cached_property
    def _has_unicode(self) -> bool:
        if self.gsm_only:
            return _WELSH.search(self.original) is not None
        return NOT_GSM.search(self.text) is not None

    @property
    def unicode_characters(self) -> frozenset[str]:
        """The characters that made the message Unicode, for the log (5.3)."""
        return frozenset(NOT_GSM.findall(self.text)) if self.is_unicode else frozenset()

    def _count(self) -> tuple[int, int, int]:
        """What the networks count, how much of it one message carries, and how much each of several does."""
        if self._has_unicode:
            return self.character_count, ONE_UNICODE, EACH_UNICODE
        return self.character_count + len(_EXTENSION.findall(self.text)), ONE_GSM, EACH_GSM

    @property
    def fragments(self) -> int:
        """How many text messages the networks count this as."""
        count, one, each = self._count()
        return 1 if count <= one else ceil(count / each)

    @property
    def characters_in_last_fragment(self) -> int:
        """By how many characters a message of several fragments is too long for one fragment less."""
        count, one, each = self._count()
        fragments = self.fragments
        return count - (one if fragments == 2 else each * (fragments - 1))

    @property
    def characters_too_many(self) -> int:
        """How many characters the message has above the limit."""
        return max(0, self.character_count_without_prefix - LONGEST_MESSAGE)

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
        """Characters that became `?`. None do unless the message is `gsm_only`."""
        if not self.gsm_only:
            return frozenset()
        return frozenset(
            character for character in set(self.original) - KEPT if downgrade_to_gsm(character) == UNSENDABLE
        )


def _converter(gsm_only: bool) -> Callable[[str], str]:
    return downgrade_to_gsm if gsm_only else replace_lookalikes


class SmsTemplate:
    """A template of text messages: parsed once, filled for many recipients. Thread-safe. `redact` hides the names of
    placeholders without a value; `gsm_only` downgrades the text for providers that cannot take Unicode.
    """

    def __init__(self, content: str, *, redact: bool = False, gsm_only: bool = False) -> None:
        self._field = Field(content)
        self._redact = redact
        self._gsm_only = gsm_only

    @cached_property
    def _escaped(self) -> Field:
        return Field(escape(self._field.content))

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Names of the placeholders, in order of first appearance."""
        return self._field.placeholders

    def missing(self, values: Mapping[str, object]) -> list[str]:
        """Placeholders without a value."""
        return self._field.missing(values)

    def render(self, values: Mapping[str, object], prefix: str | None = None) -> SmsMessage:
        """The message with these values; `prefix` is the name of the service where that is put in front."""
        filled = self._field.fill(Personalisation(values), unfilled=redacted_text if self._redact else None)
        return SmsMessage(filled, prefix or "", gsm_only=self._gsm_only)

    def row_preview(self, values: Mapping[str, object]) -> str:
        """HTML of the message for a row in a list of messages."""
        filled = self._escaped.fill(escaped_names(values), convert=escape, unfilled=redacted)
        convert = _converter(self._gsm_only)
        return collapse_newlines(normalise_lines(convert(tidy_punctuation(filled)))).strip()

    def phone_preview(
        self,
        values: Mapping[str, object],
        *,
        prefix: str | None = None,
        sender: str | None = None,
        shows_recipient: bool = False,
        downgrade: bool = True,
    ) -> str:
        """HTML of the message as a phone would show it: who it is from, to whom it goes, and its text. Without
        `downgrade` no character is replaced.
        """
        given = escaped_names(values)
        filled = self._escaped.fill(given, convert=escape, unfilled=redacted if self._redact else marked)
        text = tidy_punctuation(f"{escape(prefix).strip()}: {filled}" if prefix else filled)
        text = collapse_newlines(normalise_lines(_converter(self._gsm_only)(text) if downgrade else text))
        out = f'<p class="sms-message-sender">From: {escape(sender)}</p>' if sender else ""
        if shows_recipient:
            recipient = Field("((phone number))").fill(given, convert=escape, unfilled=marked_without_brackets)
            out += f'<p class="sms-message-recipient">To: {recipient}</p>'
        return f'{out}<div class="sms-message-wrapper" dir="auto">{link_addresses(break_lines(text))}</div>'


def template_length(content: str, *, gsm_only: bool = False) -> int:
    """UTF-16 code units that a template sends with any values: placeholders and conditional text count nothing, the
    blanks around them stay (content 5.4).
    """
    # a character of private use stands for what is filled in, so that the blanks around it are kept
    text = tidy(PATTERN.sub("\ue000", content))
    return _units(_converter(gsm_only)(text.replace("\ue000", "")))
