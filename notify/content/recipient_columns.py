"""The columns of a list of recipients, matched with the placeholders of a template (contract: content 13.1, 13.2)."""

from __future__ import annotations

import string
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from notify.content.email import EmailTemplate
from notify.content.letter import LetterTemplate
from notify.content.placeholders import Personalisation, key_form
from notify.content.recipient_headers import EMAIL_HEADERS, LETTER_HEADERS, SMS_HEADERS
from notify.content.sms import SmsTemplate
from notify.content.spreadsheet_limits import MOST_COLUMNS, UnreadableSpreadsheet
from notify.content.text import strip_obscure

MOST_ROWS: Final = 100_000
"""Most rows of a list. Any more are counted but not read."""

FEWEST_ADDRESS_COLUMNS: Final = 3

Template = SmsTemplate | EmailTemplate | LetterTemplate


def clean_cell(cell: str) -> str | None:
    """The value of a cell, or `None` if it is blank."""
    text = cell.strip(string.whitespace) if cell.isascii() else strip_obscure(cell)
    return text or None


class Columns:
    """The columns of a list: which are kept, and what they are for."""

    def __init__(
        self, names: Sequence[str], width: int, blank: Collection[int], template: Template, given: Collection[str] = ()
    ) -> None:
        """`names` are the headers, `width` is one more than the position of the last column with a value, `blank` has
        the positions of columns with neither header nor value. `given` are names that need no column.
        """
        self._width = min(width, len(names))
        self._extra_until = width
        self._names = tuple(names[:width])
        self._keys = tuple(None if index in blank else key_form(name) for index, name in enumerate(names[:width]))
        written = [name for index, name in enumerate(names[:width]) if index not in blank]
        populated = set(self._keys)
        # of columns without any value only the headers are kept, and only those that no other column has
        valueless: dict[str, str] = {}
        for name in names[width:]:
            if name and key_form(name) not in populated:
                valueless.setdefault(key_form(name), name)
        written += valueless.values()
        self._valueless: dict[str, object] = dict.fromkeys(valueless)
        self.headers: dict[str, str] = {}
        """The key of every column by its header."""
        keys: set[str] = set()
        for name in written:
            if (key := key_form(name)) not in keys:
                keys.add(key)
                self.headers[name] = key
        self._is_plain = None not in populated and len(keys) == len(written)

        self.recipient_headers = recipient_headers(template)
        self.recipient_keys = frozenset(map(key_form, self.recipient_headers))
        wanted = {key_form(name): name for name in (*self.recipient_headers, *template.placeholders)}
        optional = self.recipient_keys if isinstance(template, LetterTemplate) else frozenset()
        given_keys = frozenset(map(key_form, given))
        in_order = dict.fromkeys(map(key_form, (*template.placeholders, *self.recipient_headers)))
        self.missing = tuple(wanted[key] for key in in_order if key not in keys | optional | given_keys)
        self.used = {header: key for header, key in self.headers.items() if key in wanted}
        all_keys = [key_form(name) for name in written]
        self.duplicate_recipients = tuple(
            name
            for name, key in zip(written, all_keys, strict=True)
            if key in self.recipient_keys and all_keys.count(key) > 1
        )
        self.has_recipient_columns = _has_recipient_columns(template, keys)

    def values(self, cells: Sequence[str]) -> Personalisation:
        """The values of a row, by the names of their columns."""
        values: dict[str, object]
        if self._is_plain and len(cells) >= self._width:
            values = dict(zip(self._keys, map(clean_cell, cells), strict=False))  # type: ignore[arg-type]
        else:
            values = self._collect(cells)
        values.update(self._valueless)
        return Personalisation(values)

    def extra_cells(self, cells: Sequence[str]) -> list[str | None]:
        """The cells of a row to the right of the last header."""
        return [clean_cell(cell) for cell in cells[self._width : self._extra_until]] if len(cells) > self._width else []

    def _collect(self, cells: Sequence[str]) -> dict[str, object]:
        """The values by key; those of columns with the same name make a list, without blanks at its start. Of columns
        that spell one name differently the last counts.
        """
        values: dict[str, object] = {}
        keys: dict[str, str] = {}
        for position, (name, key) in enumerate(zip(self._names, self._keys, strict=False)):
            if key is None:
                continue
            value = clean_cell(cells[position]) if position < len(cells) else None
            is_recipient = key in self.recipient_keys
            slot = key if is_recipient else name
            keys[slot] = key
            before = values.get(slot)
            if before is None or is_recipient:
                values[slot] = value
            elif isinstance(before, list):
                before.append(value)
            else:
                values[slot] = [before, value]
        return {keys[slot]: value for slot, value in values.items()}


def read_columns(rows: Iterable[Sequence[str]], template: Template, given: Collection[str] = ()) -> tuple[Columns, int]:
    """The columns of a list, headers first, and how many rows follow. `given` are names that need no column.

    Raises `UnreadableSpreadsheet`.
    """
    iterator = iter(rows)
    names = [clean_cell(cell) or "" for cell in next(iterator, ())]
    while names and not names[-1]:
        names.pop()
    blank = {position for position, name in enumerate(names) if not name}
    width, count = 0, 0
    for count, cells in enumerate(iterator, start=1):
        if count > MOST_ROWS:
            continue
        if len(cells) > width:
            # from the right, where the last value usually is
            width = next((end for end in range(len(cells), width, -1) if clean_cell(cells[end - 1])), width)
        if blank:
            blank = {position for position in blank if position >= len(cells) or not clean_cell(cells[position])}
    if len(names) > MOST_COLUMNS:
        raise UnreadableSpreadsheet("too_many_columns")
    # a cell far to the right, which has no header, is not part of the table
    return Columns(names, min(width, MOST_COLUMNS), blank, template, given), count


def recipient_headers(template: Template) -> tuple[str, ...]:
    """The headers of the columns that recipients of such a template are in."""
    if isinstance(template, SmsTemplate):
        return SMS_HEADERS
    return EMAIL_HEADERS if isinstance(template, EmailTemplate) else LETTER_HEADERS


def _has_recipient_columns(template: Template, keys: Collection[str]) -> bool:
    present = [key_form(header) in keys for header in recipient_headers(template)]
    if not isinstance(template, LetterTemplate):
        return present[0]
    *first_six, postcode, seventh = present
    return sum(first_six) + max(postcode, seventh) >= FEWEST_ADDRESS_COLUMNS
