"""Which delimiter divides the cells of an uploaded text file (contract: content 13.1)."""

from __future__ import annotations

from itertools import islice
from typing import Final, NamedTuple

from notify.content.placeholders import key_form
from notify.content.recipient_headers import EMAIL_HEADERS, LETTER_HEADERS, SMS_HEADERS
from notify.content.spreadsheet_limits import UnreadableSpreadsheet
from notify.content.spreadsheets import CsvText

DELIMITERS: Final = (",", "\t", ";", "|")
SAMPLE_ROWS: Final = 20
_KNOWN: Final = frozenset(map(key_form, (*EMAIL_HEADERS, *SMS_HEADERS, *LETTER_HEADERS)))


class _Fit(NamedTuple):
    """How well a delimiter fits; the most significant field first."""

    known_headers: int
    """Number of recipient headers that it produces."""
    rows_that_agree: float
    """The share of the first rows that have as many cells as there are headers, where there are several headers."""
    headers: int


def detect_delimiter(text: str, expected: str = ",") -> str:
    """The delimiter that produces most recipient headers; else the one whose rows are as long as the headers; else the
    one that produces most headers. The expected one if several fit equally well.
    """
    return max((expected, *DELIMITERS), key=lambda delimiter: _fit(text, delimiter))


def _fit(text: str, delimiter: str) -> _Fit:
    rows: list[list[str]] = []
    try:
        rows += islice(CsvText(text, delimiter), SAMPLE_ROWS + 1)
    except UnreadableSpreadsheet:
        return _Fit(0, 0, 0)
    headers, *others = rows or [[]]
    others = [row for row in others if any(row)]
    known = sum(key_form(header.strip()) in _KNOWN for header in headers)
    agree = sum(len(row) == len(headers) for row in others) / len(others) if others and len(headers) > 1 else 0
    return _Fit(known, agree, len(headers))
