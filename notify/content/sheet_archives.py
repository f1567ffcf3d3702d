"""Sheets of Excel (xlsx, xlsm) and OpenDocument (ods), which are archives of XML (contract: content 13.1).

The library that reads them makes a full rectangle of a sheet, whatever the file claims: a few hundred bytes can ask for
all of the memory, and then the process is gone. So an archive is surveyed first, as a stream, and nothing is read that
would be too large.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from xml.parsers import expat

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from notify.content.sheets import Sheet, check_size
from notify.content.spreadsheet_limits import MOST_CELLS, MOST_COLUMNS, MOST_ROWS, UnreadableSpreadsheet

LARGEST_INFLATED: Final = 100 * 2**20
"""Bytes of the parts of an archive together."""

MOST_PARTS: Final = 2_000
MOST_TEXT: Final = 50_000_000
"""Characters of all cells together."""

_SHARED_STRINGS: Final = "xl/sharedStrings.xml"
_FAULTS: Final = (OSError, EOFError, RuntimeError, LookupError, StopIteration, ValueError)
"""What reading a broken archive raises."""

_DIGITS: Final = "0123456789"
_CONTENT: Final = frozenset({"v", "f", "is"})
"""What a cell has that is not blank."""

_TRUE: Final = frozenset({"1", "true"})

Attributes = dict[str, str]


def read_archive(data: bytes) -> Sheet:
    """The first sheet that is not hidden. Raises `UnreadableSpreadsheet`."""
    try:
        sheet, survey = _read(data)
    except UnreadableSpreadsheet:
        raise
    except (CalamineError, zipfile.BadZipFile, zlib.error, expat.ExpatError, *_FAULTS):
        raise UnreadableSpreadsheet from None
    except BaseException as fault:
        # a fault that the library does not expect, which its language calls a panic
        if type(fault).__name__ != "PanicException":
            raise
        raise UnreadableSpreadsheet from None
    last_row, last_column = sheet.end or (0, 0)
    # the library leaves out the columns before the first value, but not the rows
    return Sheet(
        read=sheet.iter_rows,
        last_row=last_row,
        last_column=last_column,
        first_column=sheet.start[1] if sheet.start else 0,
        hidden_rows=survey.hidden_rows,
        hidden_columns=survey.hidden_columns,
        merged=sheet.merged_cell_ranges or (),
    )


def _read(data: bytes) -> tuple[CalamineSheet, Survey]:
    """The sheet that counts, and what is hidden of it."""
    data = _repack(data)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        is_open_document = "content.xml" in archive.NameToInfo
        # the library reads all sheets of such a document at once
        surveys = _survey_open_document(archive) if is_open_document else {}
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        name = _first_visible(workbook)
        survey = surveys[name] if is_open_document else _survey_excel(archive, name)
    return workbook.get_sheet_by_name(name), survey


def _first_visible(workbook: CalamineWorkbook) -> str:
    return next(
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    )


# -- the survey


def _repack(data: bytes) -> bytes:
    """An archive with the texts of this one, not compressed: whoever reads it next finds what was found here, and in
    the sizes that it claims.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(packed, "w") as target:
        parts = [part for part in source.infolist() if part.filename.endswith((".xml", ".rels", "mimetype"))]
        if len(parts) > MOST_PARTS:
            raise UnreadableSpreadsheet
        if sum(part.file_size for part in parts) > LARGEST_INFLATED:
            raise UnreadableSpreadsheet("too_much_text")
        for part in {part.filename: part for part in parts}.values():
            target.writestr(part.filename, source.read(part))
    return packed.getvalue()


@dataclass
class Survey:
    """What a sheet asks for, and what of it is hidden. Positions count from 0."""

    last_row: int = -1
    last_column: int = -1
    characters: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)

    def add(self, row: int, column: int) -> None:
        """There is a value here."""
        if row > self.last_row or column > self.last_column:
            self.last_row, self.last_column = max(self.last_row, row), max(self.last_column, column)

    def check(self) -> None:
        """Raises `UnreadableSpreadsheet` for what is too large to be read."""
        check_size(self.last_row, self.last_column)
        if self.characters > MOST_TEXT:
            raise UnreadableSpreadsheet("too_much_text")


@lru_cache(maxsize=256)
def _local(name: str) -> str:
    """The name of an element or attribute without its prefix."""
    return name.rpartition(":")[2]


class _Reader(ABC):
    """Reads a part of an archive as a stream."""

    def read(self, archive: zipfile.ZipFile, part: str) -> None:
        """Raises `expat.ExpatError` and what `zipfile` raises."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text
        parser.StartDoctypeDeclHandler = self._refuse
        with archive.open(part) as stream:
            parser.ParseFile(stream)

    @abstractmethod
    def start(self, name: str, attributes: Attributes) -> None:
        """An element begins."""

    end: Callable[[str], None] | None = None
    """An element ends."""

    text: Callable[[str], None] | None = None
    """Text of the element that began last, or of one around it."""

    def _refuse(self, *_: object) -> None:
        raise UnreadableSpreadsheet  # entities, of which no spreadsheet has any


# -- Excel


class _Elements(_Reader):
    """The attributes of all elements of one name."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.found: list[Attributes] = []

    def start(self, name: str, attributes: Attributes) -> None:
        if _local(name) == self._name:
            self.found.append({_local(key): value for key, value in attributes.items()})


class _SharedStrings(_Reader):
    """The lengths of the texts that cells refer to."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    def start(self, name: str, attributes: Attributes) -> None:
        if _local(name) == "si":
            self.lengths.append(0)

    def text(self, text: str) -> None:
        if self.lengths:
            self.lengths[-1] += len(text)


class _ExcelSheet(_Reader):
    def __init__(self, shared: list[int]) -> None:
        self.survey = Survey()
        self._shared = shared
        self._row = self._column = -1
        self._is_shared = False
        self._number: str | None = None
        """Of a shared text, while it is read."""

    def start(self, name: str, attributes: Attributes) -> None:
        if self._number is not None:
            self._count_shared()
        name = _local(name)
        if name == "c":
            self._is_shared = attributes.get("t") == "s"
            reference = attributes.get("r")
            if reference is None:
                self._column += 1
            else:
                letters = reference.rstrip(_DIGITS)
                self._row, self._column = int(reference[len(letters) :]) - 1, _column_number(letters)
        elif name in _CONTENT:
            self.survey.add(self._row, self._column)
            if self._is_shared and name == "v":
                self._number = ""
        elif name == "row":
            number = attributes.get("r")
            self._row = self._row + 1 if number is None else int(number) - 1
            self._column = -1
            if attributes.get("hidden") in _TRUE:
                self.survey.hidden_rows.add(self._row)
        elif name == "col" and attributes.get("hidden") in _TRUE:
            last = min(int(attributes["max"]), MOST_COLUMNS)
            self.survey.hidden_columns.update(range(int(attributes["min"]) - 1, last))

    def text(self, text: str) -> None:
        if self._number is None:
            self.survey.characters += len(text)
        else:
            self._number += text

    def _count_shared(self) -> None:
        self.survey.characters += self._shared[int(self._number or 0)]
        self._number = None


@lru_cache(maxsize=2 * MOST_COLUMNS)
def _column_number(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def _survey_excel(archive: zipfile.ZipFile, name: str) -> Survey:
    sheets, relations = _Elements("sheet"), _Elements("Relationship")
    sheets.read(archive, "xl/workbook.xml")
    relations.read(archive, "xl/_rels/workbook.xml.rels")
    identifier = next(sheet["id"] for sheet in sheets.found if sheet["name"] == name)
    target = next(relation["Target"] for relation in relations.found if relation["Id"] == identifier)
    part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
    strings = _SharedStrings()
    if _SHARED_STRINGS in archive.NameToInfo:
        strings.read(archive, _SHARED_STRINGS)
    sheet = _ExcelSheet(strings.lengths)
    sheet.read(archive, part)
    sheet.survey.check()
    return sheet.survey


# -- OpenDocument


class _OpenDocument(_Reader):
    def __init__(self) -> None:
        self.surveys: dict[str, Survey] = {}
        self._survey = Survey()
        self._row = self._column = self._header = 0
        self._rows = self._columns = 1
        self._last_column = -1
        self._cell_characters = self._row_characters = 0

    def start(self, name: str, attributes: Attributes) -> None:
        name = _local(name)
        if name == "table":
            self._survey = self.surveys[attributes["table:name"]] = Survey()
            self._row = self._header = 0
        elif name == "table-row":
            self._rows = int(attributes.get("table:number-rows-repeated", 1))
            self._column, self._last_column, self._row_characters = 0, -1, 0
            if attributes.get("table:visibility", "visible") != "visible":
                self._survey.hidden_rows.update(range(self._row, min(self._row + self._rows, MOST_ROWS + 1)))
        elif name in ("table-cell", "covered-table-cell"):
            self._columns = int(attributes.get("table:number-columns-repeated", 1))
            self._cell_characters = 0
            if "office:value-type" in attributes:
                self._last_column = self._column + self._columns - 1
        elif name == "table-column":
            columns = int(attributes.get("table:number-columns-repeated", 1))
            if attributes.get("table:visibility", "visible") != "visible":
                self._survey.hidden_columns.update(range(self._header, min(self._header + columns, MOST_COLUMNS)))
            self._header += columns

    def text(self, text: str) -> None:
        self._cell_characters += len(text)

    def end(self, name: str) -> None:
        name = _local(name)
        if name in ("table-cell", "covered-table-cell"):
            if self._cell_characters:
                self._last_column = self._column + self._columns - 1
            self._row_characters += self._cell_characters * self._columns
            self._column += self._columns
            self._cell_characters = 0
        elif name == "table-row":
            if self._last_column >= 0:
                self._survey.add(self._row + self._rows - 1, self._last_column)
                self._survey.characters += self._row_characters * self._rows
            self._row += self._rows


def _survey_open_document(archive: zipfile.ZipFile) -> dict[str, Survey]:
    document = _OpenDocument()
    document.read(archive, "content.xml")
    surveys = document.surveys.values()
    for survey in surveys:
        survey.check()
    if sum((survey.last_row + 1) * (survey.last_column + 1) for survey in surveys) > MOST_CELLS:
        raise UnreadableSpreadsheet("too_many_cells")
    if sum(survey.characters for survey in surveys) > MOST_TEXT:
        raise UnreadableSpreadsheet("too_much_text")
    return document.surveys
