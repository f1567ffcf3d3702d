"""Sheets of Excel 97 to 2003 (xls; contract: content 13.1).

They have their own library, because a damaged file of this kind can make the one for newer files exhaust the memory.
The memory of this one is bounded by the format, which has at most 65,536 rows and 256 columns, and keeps each text
once, no matter how many cells show it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime, time
from functools import partial
from typing import Final, Literal

import xlrd
from xlrd.sheet import Sheet as ExcelSheet
from xlrd.xldate import xldate_as_datetime

from notify.content.sheets import Sheet, Value
from notify.content.spreadsheet_limits import MOST_CELLS, UnreadableSpreadsheet

_VISIBLE: Final = 0


def read_excel_97(data: bytes) -> Sheet:
    """The first sheet that is not hidden. Raises `UnreadableSpreadsheet`."""
    # merged and hidden cells are in the formatting, which not every program writes correctly
    for with_format in (True, False):
        try:
            return _read(data, with_format)
        except UnreadableSpreadsheet:
            raise
        except Exception:  # noqa: S112 - the library raises errors of any class
            continue
    raise UnreadableSpreadsheet


def _read(data: bytes, with_format: bool) -> Sheet:
    book = xlrd.open_workbook(
        file_contents=data, logfile=io.StringIO(), formatting_info=with_format, ragged_rows=True, on_demand=True
    )
    sheets = (book.sheet_by_index(number) for number in range(book.nsheets))
    sheet = next(sheet for sheet in sheets if sheet.visibility == _VISIBLE)
    rows, columns = sheet.nrows, sheet.ncols
    if rows * columns > MOST_CELLS:
        rows, columns = _table_size(sheet, book.datemode)
    return Sheet(
        read=partial(_rows, sheet, book.datemode, rows, columns),
        last_row=rows - 1,
        last_column=columns - 1,
        hidden_rows={row for row, info in sheet.rowinfo_map.items() if info.hidden},
        hidden_columns={column for column, info in sheet.colinfo_map.items() if info.hidden},
        merged=[((top, left), (bottom - 1, right - 1)) for top, bottom, left, right in sheet.merged_cells],
    )


def _table_size(sheet: ExcelSheet, epoch: Literal[0, 1]) -> tuple[int, int]:
    """Rows and columns without cells far away: to the last header, and to the last row with a value below one."""
    rows = columns = 0
    for row in range(sheet.nrows):
        filled = [column for column, value in enumerate(_cells(sheet, row, epoch)) if str(value).strip()]
        columns = columns or max(filled, default=-1) + 1
        if filled and filled[0] < columns:
            rows = row + 1
    return rows, columns


def _rows(sheet: ExcelSheet, epoch: Literal[0, 1], rows: int, columns: int) -> Iterator[list[Value]]:
    for row in range(rows):
        values = _cells(sheet, row, epoch)[:columns]
        yield values + [""] * (columns - len(values))


def _cells(sheet: ExcelSheet, row: int, epoch: Literal[0, 1]) -> list[Value]:
    cells = zip(sheet.row_types(row), sheet.row_values(row), strict=True)
    return [_value(kind, value, epoch) for kind, value in cells]


def _value(kind: int, value: object, epoch: Literal[0, 1]) -> Value:
    if kind == xlrd.XL_CELL_TEXT:
        return str(value)
    if kind == xlrd.XL_CELL_NUMBER:
        return float(value)  # type: ignore[arg-type]
    if kind == xlrd.XL_CELL_BOOLEAN:
        return bool(value)
    if kind == xlrd.XL_CELL_DATE:
        return _moment(float(value), epoch)  # type: ignore[arg-type]
    return ""


def _moment(days: float, epoch: Literal[0, 1]) -> Value:
    try:
        moment: datetime = xldate_as_datetime(days, epoch)
    except (OverflowError, ValueError):
        return days
    if days < 1:
        return moment.time()
    return moment.date() if moment.time() == time() else moment
