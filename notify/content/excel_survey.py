"""The size of an Excel sheet, read as a stream before any of it is loaded.

`survey_sheet` is fast and counts every cell that is not empty. Only if that is too much, `trim_sheet` reads the sheet
again and removes distant cells that are blank or have no header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from notify.content.archive_parts import MOST_TEXT, Attributes, Reader, local
from notify.content.sheets import EXACT_DIGITS, check_size, shown_moment
from notify.content.spreadsheet_limits import MOST_COLUMNS, UnreadableSpreadsheet

MOST_STRAY_CELLS: Final = 100_000
"""Most cells that may be cut out of a sheet."""

MOST_EXACT_VALUES: Final = 1_000_000
"""Most values kept in addition to the library's."""

_DIGITS: Final = "0123456789"
_CONTENT: Final = frozenset({"v", "f", "is"})
"""Elements of a cell that is not blank."""

_TRUE: Final = frozenset({"1", "true"})
_LONG_NUMBER: Final = re.compile(rf"-?[0-9]{{{EXACT_DIGITS + 1},}}")


@dataclass
class Survey:
    """The size of a sheet, and its hidden rows and columns. Positions count from 0."""

    last_row: int = -1
    last_column: int = -1
    characters: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    exact: dict[tuple[int, int], str] = field(default_factory=dict)
    """Texts to show for values that the library does not return exactly, by row and column: whole numbers with more
    digits than a float keeps, and ISO dates.
    """

    def add(self, row: int, column: int) -> None:
        """Note a value."""
        if row > self.last_row or column > self.last_column:
            self.last_row, self.last_column = max(self.last_row, row), max(self.last_column, column)


@dataclass
class SharedStrings:
    """The texts that cells refer to by their numbers: how long they are, and which are blank."""

    lengths: list[int] = field(default_factory=list)
    blank: list[bool] = field(default_factory=list)


def read_shared_strings(data: bytes | None) -> SharedStrings:
    """Raises what reading a part raises."""
    reader = _SharedStrings()
    if data is not None:
        reader.read(data)
    return reader.found


class _SharedStrings(Reader):
    def __init__(self) -> None:
        self.found = SharedStrings()

    def start(self, name: str, attributes: Attributes) -> None:
        if local(name) == "si":
            self.found.lengths.append(0)
            self.found.blank.append(True)

    def text(self, text: str) -> None:
        if self.found.lengths:
            self.found.lengths[-1] += len(text)
            if not text.isspace():
                self.found.blank[-1] = False


def survey_sheet(data: bytes, shared: SharedStrings) -> Survey:
    """The size of a sheet, however large. Raises `UnreadableSpreadsheet` for too much text, and the errors of reading a
    part.
    """
    sheet = _Sheet(shared.lengths)
    sheet.read(data)
    if sheet.survey.characters > MOST_TEXT:
        raise UnreadableSpreadsheet("too_much_text")
    return sheet.survey


class _Sheet(Reader):
    def __init__(self, lengths: list[int]) -> None:
        self.survey = Survey()
        self._lengths = lengths
        self._row = self._column = -1
        self._type = "n"
        self._number: str | None = None
        """Of a shared text, while it is read."""

    def start(self, name: str, attributes: Attributes) -> None:
        if self._number is not None:
            self._count_shared()
        name = local(name)
        if name == "c":
            self._type = attributes.get("t", "n")
            reference = attributes.get("r")  # as `_position`, without the cost of a call for each cell
            if reference is None:
                self._column += 1
            else:
                letters = reference.rstrip(_DIGITS)
                self._row, self._column = int(reference[len(letters) :]) - 1, _column_number(letters)
        elif name in _CONTENT:
            self.survey.add(self._row, self._column)
            if name == "v" and self._type == "s":
                self._number = ""
        elif name == "row":
            self._row, self._column = _row(attributes, self._row), -1
            if attributes.get("hidden") in _TRUE:
                self.survey.hidden_rows.add(self._row)
        elif name == "col" and attributes.get("hidden") in _TRUE:
            last = min(int(attributes["max"]), MOST_COLUMNS)
            self.survey.hidden_columns.update(range(int(attributes["min"]) - 1, last))

    def text(self, text: str) -> None:
        if self._number is None:
            self.survey.characters += len(text)
            if self._type == "d" or (len(text) > EXACT_DIGITS and self._type == "n" and _LONG_NUMBER.fullmatch(text)):
                self._add_exact(text)
        else:
            self._number += text

    def _add_exact(self, text: str) -> None:
        exact = self.survey.exact
        exact[self._row, self._column] = shown_moment(text) if self._type == "d" else text
        if len(exact) > MOST_EXACT_VALUES:
            raise UnreadableSpreadsheet("too_many_cells")

    def _count_shared(self) -> None:
        self.survey.characters += self._lengths[int(self._number or 0)]
        self._number = None


def _row(attributes: Attributes, before: int) -> int:
    number = attributes.get("r")
    return before + 1 if number is None else int(number) - 1


def _position(attributes: Attributes, row: int, column: int) -> tuple[int, int]:
    """Row and column of a cell; `row` and `column` are those of the cell before."""
    reference = attributes.get("r")
    if reference is None:
        return row, column + 1
    letters = reference.rstrip(_DIGITS)
    return int(reference[len(letters) :]) - 1, _column_number(letters)


@lru_cache(maxsize=2 * MOST_COLUMNS)
def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


# -- cells far away


def trim_sheet(data: bytes, shared: SharedStrings) -> bytes:
    """A sheet without the cells beyond its table, which ends with the last header and the last row that has a value
    below one. Raises `UnreadableSpreadsheet` for a table that is too large.
    """
    table = _Table(shared.blank)
    table.read(data)
    check_size(table.last_row, table.last_column)
    cutter = _Cutter(shared.blank, table.last_row, table.last_column)
    cutter.read(data)
    # positions of the parser are in bytes of what it read, and other encodings are not those of `>`
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UnreadableSpreadsheet
    pieces: list[bytes] = []
    position = 0
    for start, end in cutter.strays:
        pieces.append(data[position:start])
        position = data.index(b">", end) + 1
    pieces.append(data[position:])
    return b"".join(pieces)


class _Cells(Reader):
    """Reads each cell to its end, which takes longer."""

    def __init__(self, blank: list[bool]) -> None:
        self._blank = blank
        self._row = self._column = -1
        self._type = "n"
        self._value: list[str] = []
        self._start = 0
        self._in_value = False

    def start(self, name: str, attributes: Attributes) -> None:
        name = local(name)
        if name == "c":
            self._start = self.parser.CurrentByteIndex
            self._type = attributes.get("t", "n")
            self._row, self._column = _position(attributes, self._row, self._column)
            self._value.clear()
        elif name == "row":
            self._row, self._column = _row(attributes, self._row), -1
        self._in_value = name in {"v", "t"}

    def text(self, text: str) -> None:
        if self._in_value:
            self._value.append(text)

    def end(self, name: str) -> None:
        self._in_value = False
        if local(name) == "c":
            value = "".join(self._value)
            is_blank = not value.strip() or (self._type == "s" and self._blank[int(value)])
            self.cell(self._row, self._column, is_blank)

    def cell(self, row: int, column: int, is_blank: bool) -> None:
        """A cell ends."""


class _Table(_Cells):
    """Where the table ends: the first row with a value has its headers."""

    def __init__(self, blank: list[bool]) -> None:
        super().__init__(blank)
        self.last_row = self.last_column = -1
        self._header_row: int | None = None

    def cell(self, row: int, column: int, is_blank: bool) -> None:
        if is_blank:
            return
        if self._header_row is None:
            self._header_row = row
        if row == self._header_row:
            self.last_column = max(self.last_column, column)
        if column <= self.last_column:
            self.last_row = max(self.last_row, row)


class _Cutter(_Cells):
    """The cells beyond the table: where they begin, and where their last element does."""

    def __init__(self, blank: list[bool], last_row: int, last_column: int) -> None:
        super().__init__(blank)
        self._last_row, self._last_column = last_row, last_column
        self.strays: list[tuple[int, int]] = []

    def cell(self, row: int, column: int, is_blank: bool) -> None:
        if row > self._last_row or column > self._last_column:
            self.strays.append((self._start, self.parser.CurrentByteIndex))
            if len(self.strays) > MOST_STRAY_CELLS:
                raise UnreadableSpreadsheet("too_many_cells")
