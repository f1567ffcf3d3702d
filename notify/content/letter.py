"""The text of letters (contract: content 4, 8): what the API shows, and what a renderer puts on pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final, Literal
from zoneinfo import ZoneInfo

from notify.content.letter_render import Block, Run, as_blocks, as_runs, find_codes
from notify.content.markdown import Token, parse
from notify.content.placeholders import (
    Field,
    Personalisation,
    Unfilled,
    escape,
    escaped_names,
    marked,
    marked_without_brackets,
    missing,
    names_of,
    redacted,
)
from notify.content.postal_addresses import FEWEST_LINES, MOST_LINES, PostalAddress
from notify.content.qr import QrCodeTooLong, check_length
from notify.content.text import break_lines, normalise_whitespace, tidy_punctuation, typography

__all__ = ["LetterPart", "LetterTemplate", "QrCodeTooLong"]

MOST_PAGES: Final = 10

Language = Literal["english", "welsh"]

_LONDON: Final = ZoneInfo("Europe/London")
_ENGLISH_MONTHS: Final = "January February March April May June July August September October November December"
_WELSH_MONTHS: Final = "Ionawr Chwefror Mawrth Ebrill Mai Mehefin Gorffennaf Awst Medi Hydref Tachwedd Rhagfyr"
_MONTHS: Final[Mapping[Language, tuple[str, ...]]] = {
    "english": tuple(_ENGLISH_MONTHS.split()),
    "welsh": tuple(_WELSH_MONTHS.split()),
}
_MAY_HAVE_CODE: Final = re.compile(
    r"qr[ \t]*:|!\[|\[\^", re.IGNORECASE
)  # an image or footnote, which is not shown, may split the mark

_DOUBLE_BULLET: Final = re.compile(r"((?:\A|\n[ \t]*\n)[ ]{0,3})\*\*(?=[^\s*])")
"""`**bold**` at the beginning of a block: in letters a bullet in a bullet (contract: letters 3.2)."""

_NO_ELEMENT: Final = "\x01"
"""Replaces `<`, which would begin an HTML element, while searching for QR codes."""


def letter_date(at: datetime, language: Language = "english") -> str:
    """The date on a letter: `1 August 2024`, the day in London."""
    local = at.astimezone(_LONDON)
    return f"{local.day} {_MONTHS[language][local.month - 1]} {local.year}"


@dataclass(frozen=True)
class LetterPart:
    """One language of a letter. It is laid out like a letter, and its pages are numbered separately."""

    language: Language
    includes_first_page: bool
    """Whether the letter begins with it. Only then does it have what the printer needs on a first page."""
    date: str
    subject: tuple[Run, ...]
    body: tuple[Block, ...]
    address: tuple[tuple[Run, ...], ...]
    """The recipient's lines."""
    contact_block: tuple[Run, ...]

    @property
    def page_words(self) -> tuple[str, str]:
        """The words of a page number: what is before the number of the page, and before the number of all pages."""
        return ("Tudalen", "o") if self.language == "welsh" else ("Page", "of")


class LetterTemplate:
    """A template of letters: parsed once, filled for many recipients. Thread-safe. `languages` is `english` or
    `welsh_then_english`; `redact` hides the names of placeholders without a value.
    """

    def __init__(
        self,
        subject: str,
        content: str,
        *,
        welsh_subject: str | None = None,
        welsh_content: str | None = None,
        languages: str = "english",
        contact_block: str = "",
        redact: bool = False,
    ) -> None:
        self._content = Field(content)
        self._escaped_subject = Field(escape(subject))
        self._has_welsh = languages == "welsh_then_english"
        self._welsh_subject, self._welsh_content = welsh_subject or "", welsh_content or ""
        self._contact_block = "\n".join(line.strip() for line in contact_block.strip().splitlines())
        texts = [self._contact_block, self._welsh_subject, self._welsh_content, subject, content]
        self._names = names_of(map(Field, texts))
        self.placeholders: tuple[str, ...] = tuple(self._names.values())
        self._unfilled: Unfilled = redacted if redact else marked
        self._unfilled_address: Unfilled = redacted if redact else marked_without_brackets

    @property
    def _sources(self) -> list[str]:
        """The content of each language as it was written, in the order of the letter."""
        return [*([self._welsh_content] if self._has_welsh else []), self._content.content]

    @cached_property
    def _texts(self) -> dict[Language, tuple[Field, Field]]:
        """Subject and content of each language, escaped, in the order of the letter."""
        english = (self._escaped_subject, Field(escape(self._content.content)))
        if not self._has_welsh:
            return {"english": english}
        return {"welsh": (Field(escape(self._welsh_subject)), Field(escape(self._welsh_content))), "english": english}

    def missing(self, values: Mapping[str, object]) -> list[str]:
        """Placeholders without a value: first the contact block, then the Welsh text, then the English."""
        return missing(self._names, values)

    def subject(self, values: Mapping[str, object]) -> str:
        """The subject, HTML-escaped."""
        return self._subject(self._escaped_subject, escaped_names(values), None)

    def body(self, values: Mapping[str, object]) -> str:
        """The content filled in, still Markdown: what the API shows."""
        return self._content.fill(Personalisation(values), lists="bullets").strip()

    def is_empty(self, values: Mapping[str, object]) -> bool:
        """Nothing to print: no content, or content that is placeholders from end to end and renders to nothing."""
        return self._content.is_empty(values)

    def check_qr_codes(self, values: Mapping[str, object]) -> None:
        """Raises `QrCodeTooLong`. Without values, counts the data as the template has it; with values, the filled data
        escaped for HTML (content 8.5).
        """
        if values:
            given = escaped_names(values)
            texts = [content.fill(given, lists="bullets", convert=escape) for _, content in self._texts.values()]
        else:
            texts = [source.replace("<", _NO_ELEMENT) for source in self._sources]
        for text in texts:
            if _MAY_HAVE_CODE.search(text):
                for data in find_codes(_tokens(text)):
                    check_length(data.replace(_NO_ELEMENT, "<"))

    def parts(self, values: Mapping[str, object], at: datetime) -> tuple[LetterPart, ...]:
        """The letter for a renderer: the Welsh part, if there is one, then the English. `at` is when it was created;
        `values` include the address.
        """
        given = escaped_names(values)
        address = self._address(values, given)
        contact_block = Field(escape(self._contact_block)).fill(given, convert=escape, unfilled=self._unfilled)
        return tuple(
            LetterPart(
                language=language,
                includes_first_page=position == 0,
                date=letter_date(at, language),
                subject=as_runs(self._subject(subject, given, self._unfilled)),
                body=as_blocks(_tokens(content.fill(given, lists="bullets", convert=escape, unfilled=self._unfilled))),
                address=address,
                contact_block=as_runs(break_lines(tidy_punctuation(contact_block))),
            )
            for position, (language, (subject, content)) in enumerate(self._texts.items())
        )

    def _subject(self, subject: Field, given: Personalisation, unfilled: Unfilled | None) -> str:
        return normalise_whitespace(typography(subject.fill(given, convert=escape, unfilled=unfilled)))

    def _address(self, values: Mapping[str, object], given: Personalisation) -> tuple[tuple[Run, ...], ...]:
        """The lines of the address, or seven placeholders for them where there is none yet (8.2)."""
        lines = PostalAddress.from_personalisation(Personalisation(values), allow_international=True).normalised_lines
        if FEWEST_LINES <= len(lines) <= MOST_LINES:
            return tuple((Run(line),) for line in lines)
        names = [f"address line {number}" for number in range(1, MOST_LINES + 1)]
        if given.by_key("addressline7") is None and given.by_key("postcode") is not None:
            names[-1] = "postcode"
        fill = (Field(f"(({name}))").fill(given, convert=escape, unfilled=self._unfilled_address) for name in names)
        return tuple(map(as_runs, fill))


def _tokens(text: str) -> list[Token]:
    return list(parse(_DOUBLE_BULLET.sub(r"\1* * ", text) + "\n"))
