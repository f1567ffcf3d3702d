"""Spreadsheets as rows of texts, headers first (contract: content 13.1).

`CsvText` reads what is stored: UTF-8, with commas. `read_spreadsheet` reads what people have: CSV in the usual
encodings and with the usual delimiters, TSV, and workbooks of Excel and OpenDocument. `to_csv` makes stored text of
rows.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

from notify.content.spreadsheet_limits import LARGEST_FILE, UnreadableSpreadsheet
from notify.content.text import strip_all

_TEXT_FILES: Final = frozenset({"csv", "tsv"})
_WORKBOOKS: Final = frozenset({"xlsx", "xlsm", "xls", "ods"})
_ARCHIVE: Final = b"PK\x03\x04"
_EXCEL_97: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")


class Spreadsheet(Protocol):
    """Rows of texts that can be iterated any number of times. Raises `UnreadableSpreadsheet` while iterated."""

    def __iter__(self) -> Iterator[list[str]]: ...


class CsvText:
    """The rows of CSV text. White space, and commas after the last cell, don't make rows."""

    def __init__(self, text: str, delimiter: str = ",") -> None:
        self._text = strip_all(text, delimiter)
        self._delimiter = delimiter

    def __iter__(self) -> Iterator[list[str]]:
        reader = csv.reader(_lines(self._text), delimiter=self._delimiter, skipinitialspace=True)
        try:
            yield from reader
        except csv.Error:
            # lines are split before, and quotes may stand anywhere: the one error left is that of `LONGEST_CELL`
            raise UnreadableSpreadsheet("cell_too_long") from None


def _lines(text: str) -> Iterator[str]:
    """The lines, with their ends. `io.StringIO` gives the same, but takes four bytes for each character."""
    return (match[0] for match in _LINE.finditer(text))


def read_spreadsheet(data: bytes, file_name: str) -> Spreadsheet:
    """The rows of a file. Its content says what it is; its name says whether it may be read at all, and decides between
    delimiters that fit equally well. Raises `UnreadableSpreadsheet`, also when the rows are iterated.
    """
    extension = file_name.rpartition(".")[2].lower()
    if extension not in _TEXT_FILES | _WORKBOOKS:
        raise UnreadableSpreadsheet
    if len(data) > LARGEST_FILE:
        raise UnreadableSpreadsheet("too_large")
    # only uploads need these and the libraries that they load
    if data.startswith(_ARCHIVE):
        from notify.content.sheet_archives import read_archive

        return read_archive(data)
    if data.startswith(_EXCEL_97):
        from notify.content.excel_97 import read_excel_97

        return read_excel_97(data)
    if extension in _WORKBOOKS:
        raise UnreadableSpreadsheet
    from notify.content.delimiters import detect_delimiter
    from notify.content.encodings import decode

    text = decode(data)
    return CsvText(text, detect_delimiter(text, "\t" if extension == "tsv" else ","))


def to_csv(rows: Iterable[Sequence[str]]) -> bytes:
    """Rows as they are stored: UTF-8, with commas and CRLF."""
    buffer = io.BytesIO()
    with io.TextIOWrapper(buffer, encoding="utf-8", errors="replace", newline="") as text:
        csv.writer(text).writerows(rows)
        text.flush()
        return buffer.getvalue()
