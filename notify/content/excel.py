"""Sheets of Excel (xlsx, xlsm; contract: content 13.1).

The library allocates the full rectangle that a sheet claims to have: a file of a few hundred bytes can exhaust the
memory and end the process. So a sheet is surveyed first, and then passed to the library in an archive that contains
only what was surveyed.
"""

from __future__ import annotations

import io
import zipfile
from typing import Final

from python_calamine import CalamineWorkbook

from notify.content.archive_parts import Archive
from notify.content.excel_package import Package, read_package
from notify.content.excel_survey import Survey, read_shared_strings, survey_sheet, trim_sheet
from notify.content.sheets import Sheet, check_size
from notify.content.spreadsheet_limits import UnreadableSpreadsheet

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"


def read_excel(archive: Archive) -> Sheet:
    """The first sheet that is not hidden. Raises `UnreadableSpreadsheet` if it is too large, and the errors of the
    library and of reading a part.
    """
    packed, survey = _surveyed(read_package(archive))
    sheet = CalamineWorkbook.from_filelike(packed).get_sheet_by_index(0)
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
        exact=survey.exact,
    )


def _surveyed(package: Package) -> tuple[io.BytesIO, Survey]:
    """The workbook for the library, and what its sheet asks for. Cells far away that make it too large are left out."""
    shared = read_shared_strings(package.shared_strings)
    survey = survey_sheet(package.sheet, shared)
    try:
        check_size(survey.last_row, survey.last_column)
    except UnreadableSpreadsheet:
        return _packed(package, trim_sheet(package.sheet, shared)), survey
    return _packed(package, package.sheet), survey


def _packed(package: Package, sheet: bytes) -> io.BytesIO:
    """An archive with these parts, where the library looks for them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as target:
        target.writestr("_rels/.rels", _relationships(("officeDocument", "xl/workbook.xml")))
        target.writestr("[Content_Types].xml", f'<Types xmlns="{_PACKAGE}/content-types"/>')
        target.writestr("xl/workbook.xml", _workbook(package.counts_from_1904))
        relations = [("worksheet", "worksheets/sheet1.xml")]
        for kind, data in (("sharedStrings", package.shared_strings), ("styles", package.styles)):
            if data is not None:
                relations.append((kind, f"{kind}.xml"))
                target.writestr(f"xl/{kind}.xml", data)
        target.writestr("xl/_rels/workbook.xml.rels", _relationships(*relations))
        target.writestr("xl/worksheets/sheet1.xml", sheet)
    packed.seek(0)
    return packed


def _relationships(*relations: tuple[str, str]) -> str:
    made = "".join(
        f'<Relationship Id="r{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(relations, start=1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{made}</Relationships>'


def _workbook(counts_from_1904: bool) -> str:
    return (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><workbookPr date1904="{int(counts_from_1904)}"/>'
        '<sheets><sheet name="Sheet" sheetId="1" r:id="r1"/></sheets></workbook>'
    )
