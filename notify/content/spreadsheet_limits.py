"""How large a spreadsheet may be, and why one cannot be read."""

from __future__ import annotations

from typing import Final

LARGEST_FILE: Final = 10 * 2**20
"""Bytes of a file."""

MOST_ROWS: Final = 200_000
MOST_COLUMNS: Final = 1_000
MOST_CELLS: Final = 5_000_000
LONGEST_CELL: Final = 131_072
"""Characters of a cell: the limit of `csv`."""

_TEXTS: Final = {
    "unreadable": "Notify cannot read this file - try using a different file type",
    "too_large": f"The file must be smaller than {LARGEST_FILE // 2**20}MB",
    "too_many_rows": f"The file must not have more than {MOST_ROWS:,} rows",
    "too_many_columns": f"The file must not have more than {MOST_COLUMNS:,} columns",
    "too_many_cells": f"The file must not have more than {MOST_CELLS:,} cells",
    "too_much_text": "The file has too much text in it",
    "cell_too_long": f"The file must not have a cell with more than {LONGEST_CELL:,} characters",
}


class UnreadableSpreadsheet(ValueError):  # noqa: N818 - says what it is about
    """A file that cannot be read. The text is for people; `code` says why."""

    def __init__(self, code: str = "unreadable") -> None:
        self.code = code
        super().__init__(_TEXTS[code])
