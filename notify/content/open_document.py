"""Sheets of OpenDocument (ods; contract: content 13.1), read as a stream.

A file of a few hundred bytes can declare a row of thousands of cells, repeated a million times. So only cells with a
value are kept, once each with the number of repeats, and the size of a sheet is checked before its rows are created.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import time, timedelta
from typing import Final, NamedTuple

from notify.content.archive_parts import MOST_TEXT, Archive, Attributes, Reader
from notify.content.sheets import EXACT_DIGITS, Range, Sheet, Value, check_size, shown_moment
from notify.content.spreadsheet_limits import LONGEST_CELL, MOST_COLUMNS, MOST_ROWS, UnreadableSpreadsheet

CONTENT: Final = "content.xml"
"""The part that has the sheets."""

DEEPEST: Final = 1_000
"""Most levels of nested elements."""

_NAMESPACE: Final = "urn:oasis:names:tc:opendocument:xmlns"
_TABLE: Final = f"{_NAMESPACE}:table:1.0 "
_OFFICE: Final = f"{_NAMESPACE}:office:1.0 "
_STYLE: Final = f"{_NAMESPACE}:style:1.0 "
_TEXT: Final = f"{_NAMESPACE}:text:1.0 "
_CALC_TYPE: Final = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0 value-type"
_CELLS: Final = frozenset({f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"})
_PARAGRAPHS: Final = frozenset({f"{_TEXT}p", f"{_TEXT}h"})
_NOT_SHOWN: Final = frozenset({f"{_TEXT}ruby-text", f"{_TEXT}note", f"{_OFFICE}annotation"})
_WHITESPACE: Final = re.compile(r"[ \t\r\n]+")
_LONG_NUMBER: Final = re.compile(rf"-?[0-9]{{{EXACT_DIGITS + 1},}}")
_DURATION: Final = re.compile(r"(-?)PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:[.,]\d*)?S)?")


class _Run(NamedTuple):
    """A value, and the number of columns that repeat it from this one on."""

    column: int
    columns: int
    value: Value
    characters: int


@dataclass(slots=True)
class _Row:
    number: int
    rows: int
    """How often the row is repeated."""
    runs: list[_Run]

    @property
    def last_column(self) -> int:
        return self.runs[-1].column + self.runs[-1].columns - 1


@dataclass
class _Table:
    """A sheet: its rows that have a value, and what is hidden and merged. Positions count from 0."""

    rows: list[_Row] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[Range] = field(default_factory=list)

    def last_row(self) -> int:
        return self.rows[-1].number + self.rows[-1].rows - 1 if self.rows else -1

    def last_column(self) -> int:
        return max((row.last_column for row in self.rows), default=-1)

    def cut(self) -> None:
        """Leaves out the cells that have no header: those right of the last value of the first row that has any."""
        end = self.rows[0].last_column + 1
        for row in self.rows:
            inside = (run for run in row.runs if run.column < end)
            row.runs = [run._replace(columns=min(run.columns, end - run.column)) for run in inside]
        self.rows = [row for row in self.rows if row.runs]


def read_open_document(archive: Archive) -> Sheet:
    """The first sheet that is not hidden. Raises `UnreadableSpreadsheet` for what is too large, `LookupError` where no
    sheet is visible, and what reading a part raises.
    """
    document = _Document()
    document.read(archive.read(CONTENT))
    if document.table is None:
        raise LookupError("no sheet is visible")
    table = document.table
    try:
        check_size(table.last_row(), table.last_column())
    except UnreadableSpreadsheet:
        table.cut()
    # a sheet counts its cells itself; this counts their text
    characters = sum(run.characters * run.columns * row.rows for row in table.rows for run in row.runs)
    sheet = Sheet(
        read=lambda: _rows(table),
        last_row=table.last_row(),
        last_column=table.last_column(),
        hidden_rows=table.hidden_rows,
        hidden_columns=table.hidden_columns,
        merged=table.merged,
    )
    if characters > MOST_TEXT:
        raise UnreadableSpreadsheet("too_much_text")
    return sheet


def _rows(table: _Table) -> Iterator[list[Value]]:
    """All rows from the first on, as long as the longest."""
    width = table.last_column() + 1
    position = 0
    for row in table.rows:
        for _ in range(position, row.number):
            yield [""] * width
        cells: list[Value] = [""] * width
        for run in row.runs:
            cells[run.column : run.column + run.columns] = [run.value] * run.columns
        for _ in range(row.rows):
            yield cells
        position = row.number + row.rows


class _Document(Reader):
    """Reads the first table that is not hidden."""

    namespaces = True

    def __init__(self) -> None:
        self.table: _Table | None = None
        self._hidden_styles: set[str] = set()
        self._style = ""
        self._open: list[str] = []
        self._in_table = False
        self._row = self._column = self._header = 0
        self._rows = self._columns = 1
        self._runs: list[_Run] = []
        self._cell: Attributes = {}
        self._paragraphs: list[list[str]] | None = None
        """The text of a cell, while it is read."""
        self._not_shown = 0
        self._characters = 0

    # -- elements

    def start(self, name: str, attributes: Attributes) -> None:
        parent = self._open[-1] if self._open else ""
        self._open.append(name)
        if len(self._open) > DEEPEST:
            raise UnreadableSpreadsheet
        if not self._in_table:
            self._look_for_table(name, parent, attributes)
        elif self._not_shown or name in _NOT_SHOWN:
            self._not_shown += 1
        elif name in _PARAGRAPHS:
            if parent in _CELLS and self._paragraphs is not None:
                self._paragraphs.append([])
        elif name in _CELLS:
            self._cell, self._paragraphs = attributes, []
            self._columns = _repeated(attributes, "columns")
        elif name == f"{_TABLE}table-row":
            self._rows = _repeated(attributes, "rows")
            self._column, self._runs = 0, []
            if self.table and _is_hidden(attributes):
                self.table.hidden_rows.update(range(self._row, min(self._row + self._rows, MOST_ROWS + 1)))
        elif name == f"{_TABLE}table-column":
            self._read_column(attributes)
        else:
            self._read_mark(name, attributes)

    def end(self, name: str) -> None:
        self._open.pop()
        if not self._in_table:
            return
        if self._not_shown:
            self._not_shown -= 1
        elif name in _CELLS:
            self._end_cell()
        elif name == f"{_TABLE}table-row":
            if self._runs and self.table:
                self.table.rows.append(_Row(self._row, self._rows, self._runs))
            self._row += self._rows
        elif name == f"{_TABLE}table" and self._open[-1] == f"{_OFFICE}spreadsheet":
            self._in_table = False

    def text(self, text: str) -> None:
        if not self._not_shown and self._open[-1].startswith(_TEXT):
            self._add_text(_WHITESPACE.sub(" ", text))

    def _add_text(self, text: str) -> None:
        if not self._paragraphs:
            return
        self._characters += len(text)
        if self._characters > MOST_TEXT:
            raise UnreadableSpreadsheet("too_much_text")
        self._paragraphs[-1].append(text)

    def _look_for_table(self, name: str, parent: str, attributes: Attributes) -> None:
        if name == f"{_STYLE}style":
            self._style = attributes.get(f"{_STYLE}name", "")
        elif name == f"{_STYLE}table-properties":
            if attributes.get(f"{_TABLE}display") == "false":
                self._hidden_styles.add(self._style)
        elif name == f"{_TABLE}table" and parent == f"{_OFFICE}spreadsheet" and self.table is None:
            is_hidden = attributes.get(f"{_TABLE}style-name") in self._hidden_styles
            self.table, self._in_table = (None, False) if is_hidden else (_Table(), True)

    def _read_column(self, attributes: Attributes) -> None:
        columns = _repeated(attributes, "columns")
        if self.table and _is_hidden(attributes):
            self.table.hidden_columns.update(range(self._header, min(self._header + columns, MOST_COLUMNS)))
        self._header += columns

    def _read_mark(self, name: str, attributes: Attributes) -> None:
        """Read an element that represents white space in a paragraph."""
        if name == f"{_TEXT}s":
            self._add_text(" " * min(int(attributes.get(f"{_TEXT}c", 1)), LONGEST_CELL))
        elif name == f"{_TEXT}tab":
            self._add_text("\t")
        elif name == f"{_TEXT}line-break":
            self._add_text("\n")

    # -- cells

    def _end_cell(self) -> None:
        text = "\n".join(map("".join, self._paragraphs or ()))
        value = _value(self._cell, text)
        if not isinstance(value, str) or value.strip():
            self._runs.append(_Run(self._column, self._columns, value, len(text)))
        self._add_merged()
        self._column += self._columns
        self._paragraphs = None

    def _add_merged(self) -> None:
        rows, columns = (int(self._cell.get(f"{_TABLE}number-{kind}-spanned", 1)) for kind in ("rows", "columns"))
        if self.table and (rows > 1 or columns > 1):
            end = (self._row + rows - 1, self._column + columns - 1)
            self.table.merged.append(((self._row, self._column), end))


def _repeated(attributes: Attributes, kind: str) -> int:
    """How often a row, column or cell is repeated. Raises `ValueError`."""
    repeated = int(attributes.get(f"{_TABLE}number-{kind}-repeated", 1))
    if repeated < 1:
        raise ValueError("not repeated")
    return repeated


def _is_hidden(attributes: Attributes) -> bool:
    return attributes.get(f"{_TABLE}visibility", "visible") != "visible"


def _value(cell: Attributes, text: str) -> Value:
    """The value of a cell that shows `text`; an error is blank. Raises `ValueError`."""
    if cell.get(_CALC_TYPE) == "error":
        return ""
    kind = cell.get(f"{_OFFICE}value-type")
    if kind in ("float", "percentage", "currency"):
        number = cell[f"{_OFFICE}value"]
        return number if _LONG_NUMBER.fullmatch(number) else float(number)
    if kind == "boolean":
        return cell[f"{_OFFICE}boolean-value"] == "true"
    if kind == "date":
        given = cell.get(f"{_OFFICE}date-value", "")
        shown = shown_moment(given)
        return text if shown == given else shown
    if kind == "time":
        duration = _duration(cell.get(f"{_OFFICE}time-value", ""))
        return text if duration is None else duration
    return cell.get(f"{_OFFICE}string-value", text)


def _duration(text: str) -> time | timedelta | None:
    """A time of day, or a longer time."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()[1:]):
        return None
    hours, minutes, seconds = (int(part or 0) for part in match.groups()[1:])
    if not match[1] and hours < 24 and minutes < 60 and seconds < 60:
        return time(hours, minutes, seconds)
    try:
        duration = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError:
        return None
    return -duration if match[1] else duration
