"""A sheet of a workbook as rows of texts (contract: content 13.1)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Final

from notify.content.spreadsheet_limits import MOST_CELLS, MOST_COLUMNS, MOST_ROWS, UnreadableSpreadsheet

EXACT_DIGITS: Final = 15
"""Significant digits that spreadsheet programs keep."""

LARGEST_NUMBER: Final = 10.0**40
"""From here on, numbers are shown with an exponent."""

Value = int | float | str | bool | time | date | datetime | timedelta
Range = tuple[tuple[int, int], tuple[int, int]]
"""The first and the last row and column of some cells."""


def check_size(last_row: int, last_column: int) -> None:
    """Whether a sheet that ends there can be read. Raises `UnreadableSpreadsheet`."""
    if last_row > MOST_ROWS:
        raise UnreadableSpreadsheet("too_many_rows")
    if last_column >= MOST_COLUMNS:
        raise UnreadableSpreadsheet("too_many_columns")
    if (last_row + 1) * (last_column + 1) > MOST_CELLS:
        raise UnreadableSpreadsheet("too_many_cells")


@dataclass
class Sheet:
    """The rows of a sheet, without hidden rows and columns; a merged cell is repeated as far as the sheet has values.
    Positions count from 0. Raises `UnreadableSpreadsheet` when it is too large.
    """

    read: Callable[[], Iterable[Sequence[Value]]]
    """Gives all rows from position 0 on, their cells from `first_column` on. Blanks are empty texts."""
    last_row: int
    last_column: int
    first_column: int = 0
    hidden_rows: Collection[int] = frozenset()
    hidden_columns: Collection[int] = frozenset()
    merged: Sequence[Range] = field(default=(), repr=False)
    exact: Mapping[tuple[int, int], str] = field(default_factory=dict, repr=False)
    """Texts to show for numbers that are not exact in `read`, by row and column."""

    def __post_init__(self) -> None:
        check_size(self.last_row, self.last_column)

    @cached_property
    def _merged_by_row(self) -> dict[int, list[tuple[int, int, int]]]:
        """The first row, the first and the last column of the merged cells that are in a row."""
        by_row: dict[int, list[tuple[int, int, int]]] = {}
        cells = 0
        for (top, left), end in self.merged:
            bottom, right = min(end[0], self.last_row), min(end[1], self.last_column)
            cells += max(bottom - top + 1, 0) * max(right - left + 1, 0)
            if cells > MOST_CELLS:
                raise UnreadableSpreadsheet("too_many_cells")
            for row in range(top, bottom + 1):
                by_row.setdefault(row, []).append((top, left, right))
        return by_row

    @cached_property
    def _exact_by_row(self) -> dict[int, list[tuple[int, str]]]:
        by_row: dict[int, list[tuple[int, str]]] = {}
        for (row, column), text in self.exact.items():
            by_row.setdefault(row, []).append((column, text))
        return by_row

    def __iter__(self) -> Iterator[list[str]]:
        values: dict[tuple[int, int], str] = {}
        blank, has_begun = 0, False
        for number, row in enumerate(self.read()):
            cells = list(map(shown_text, row))
            for column, text in self._exact_by_row.get(number, ()):
                if 0 <= column - self.first_column < len(cells):
                    cells[column - self.first_column] = text
            for top, left, right in self._merged_by_row.get(number, ()):
                self._repeat(cells, values, number == top, (top, left), right)
            if number in self.hidden_rows:
                continue
            if self.hidden_columns:
                columns = enumerate(cells, self.first_column)
                cells = [cell for column, cell in columns if column not in self.hidden_columns]
            if not any(cells):
                # a row without anything counts only between others
                blank += has_begun
                continue
            for _ in range(blank):
                yield [""] * len(cells)
            blank, has_begun = 0, True
            yield cells

    def _repeat(
        self, cells: list[str], values: dict[tuple[int, int], str], is_first: bool, start: tuple[int, int], right: int
    ) -> None:
        """Fill in the part of a merged cell that is in a row; the file has its value only at its start."""
        columns = range(start[1] - self.first_column, min(right - self.first_column + 1, len(cells)))
        if is_first and 0 <= columns.start < len(cells):
            values[start] = cells[columns.start]
        for column in columns:
            if column >= 0:
                cells[column] = values.get(start, "")


def shown_text(value: Value) -> str:
    """A value as a spreadsheet program set to British English shows it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return _number_text(value)
    if isinstance(value, datetime):
        # midnight, because a day is a whole number to a spreadsheet program
        return f"{value:%d/%m/%Y}" if value.time() == time() else f"{value:%d/%m/%Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, timedelta):
        minutes = round(value.total_seconds() / 60)
        return f"{minutes // 60}:{minutes % 60:02}"
    return str(value)


def shown_moment(text: str) -> str:
    """A date, a date with a time, or a time in the forms of ISO 8601, as `shown_text` has it; else the text."""
    kinds: tuple[type[time | date], ...] = (date, datetime, time)
    for kind in kinds:
        try:
            return shown_text(kind.fromisoformat(text))
        except ValueError:
            continue
    return text


def _number_text(value: float) -> str:
    """A number in digits, however large, unless it is larger than any that people write."""
    if value.is_integer() and abs(value) < 10**EXACT_DIGITS:
        return str(int(value))
    text = f"{value:.{EXACT_DIGITS}g}"
    return f"{Decimal(text):f}" if value.is_integer() and abs(value) < LARGEST_NUMBER else text
