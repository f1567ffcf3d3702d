"""Files written by the libraries that write them, and files that nobody's program writes."""

from __future__ import annotations

import io
import random
import zipfile
from datetime import date, datetime, time, timedelta
from typing import Any

import openpyxl
import pytest
import xlwt
from odf.opendocument import OpenDocumentSpreadsheet
from odf.style import Style, TableProperties
from odf.table import Table, TableCell, TableColumn, TableRow
from odf.text import P

from notify.content.recipient_list import RecipientList
from notify.content.sms import SmsTemplate
from notify.content.spreadsheet_limits import UnreadableSpreadsheet
from notify.content.spreadsheets import read_spreadsheet

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def saved(workbook: Any) -> bytes:
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def rows_of(data: bytes, name: str = "list.xlsx") -> list[list[str]]:
    return list(read_spreadsheet(data, name))


def excel(rows: list[list[object]]) -> Any:
    workbook = openpyxl.Workbook()
    for row in rows:
        workbook.active.append(row)
    return workbook


# -- Excel


def test_values_are_read_as_people_see_them() -> None:
    values: list[tuple[object, str]] = [
        (7900900123, "7900900123"),
        ("07900 900123", "07900 900123"),
        (1.5, "1.5"),
        (0.1 + 0.2, "0.3"),
        (-3.0, "-3"),
        (True, "TRUE"),
        (False, "FALSE"),
        (date(2027, 1, 31), "31/01/2027"),
        (datetime(2027, 1, 31, 14, 30), "31/01/2027 14:30"),
        (time(9, 5), "09:05"),
        (timedelta(hours=30, minutes=7), "30:07"),
        ("#N/A", ""),
        (None, ""),
        ("end", "end"),
    ]
    workbook = excel([["header"] * len(values), [value for value, _ in values]])
    assert rows_of(saved(workbook))[1] == [text for _, text in values]


def test_the_first_sheet_counts_that_is_not_hidden() -> None:
    workbook = excel([["hidden"]])
    workbook.active.sheet_state = "hidden"
    workbook.create_chartsheet("Chart")
    workbook.create_sheet("List").append(["phone number"])
    workbook.create_sheet("Other").append(["other"])
    assert rows_of(saved(workbook)) == [["phone number"]]


def test_hidden_rows_and_columns_are_left_out() -> None:
    workbook = excel([["phone number", "secret", "name"], ["1", "x", "Al"], ["2", "y", "Bo"], ["3", "z", "Cy"]])
    workbook.active.column_dimensions["B"].hidden = True
    workbook.active.row_dimensions[3].hidden = True
    assert rows_of(saved(workbook)) == [["phone number", "name"], ["1", "Al"], ["3", "Cy"]]


def test_a_merged_cell_is_repeated() -> None:
    workbook = excel([["phone number", "name", "town"], ["1", "Al", "Hull"], ["2", None, None], ["3", "Bo", "x"]])
    workbook.active.merge_cells("B2:C3")
    assert rows_of(saved(workbook)) == [
        ["phone number", "name", "town"],
        ["1", "Al", "Al"],
        ["2", "Al", "Al"],
        ["3", "Bo", "x"],
    ]


def test_a_table_may_begin_anywhere() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet["C4"], sheet["D4"], sheet["E4"] = "phone number", "hidden", "name"
    sheet["C5"], sheet["D5"], sheet["E5"] = "1", "x", "Al"
    sheet["C7"], sheet["E9"] = "2", "  "
    sheet.merge_cells("C7:E7")
    sheet.column_dimensions["D"].hidden = True
    sheet["Z99"].font = openpyxl.styles.Font(bold=True)
    rows = rows_of(saved(workbook))
    assert [row for row in rows if any(cell.strip() for cell in row)] == [
        ["phone number", "name"],
        ["1", "Al"],
        ["2", "2"],
    ]
    assert rows[2] == ["", ""], "a row between others is one"


def test_a_sheet_without_values_has_no_rows() -> None:
    assert rows_of(saved(openpyxl.Workbook())) == []


def test_old_excel_files() -> None:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("List")
    for column, value in enumerate(["phone number", "name", "day"]):
        sheet.write(0, column, value)
    sheet.write(1, 0, 7900900123)
    sheet.write_merge(1, 2, 1, 1, "Al")
    sheet.write(1, 2, date(2027, 1, 31), xlwt.easyxf(num_format_str="DD/MM/YYYY"))
    sheet.write(2, 0, "2")
    assert rows_of(saved(workbook), "list.xls") == [
        ["phone number", "name", "day"],
        ["7900900123", "Al", "31/01/2027"],
        ["2", "Al", ""],
    ]


def test_a_whole_number_keeps_all_its_digits() -> None:
    digits = ["1234567890123456", "98765432109876543210", "-98765432109876543210", "123456789012345"]
    made = "".join(f"<c><v>{number}</v></c>" for number in digits)
    data = archive(f'<sheetData><row r="1"/><row r="3"><c r="B3"><v>1</v></c>{made}</row></sheetData>')
    assert rows_of(data) == [["1", *digits]]
    numbers = cells("A1", content="<v>9.8765432109876503E+19</v>")
    assert rows_of(archive(numbers)) == [["98765432109876500000"]]


def test_a_long_number_in_a_hidden_or_merged_place_stays_there() -> None:
    made = '<row r="1"><c r="A1"><v>1234567890123456</v></c><c r="C1"><v>3</v></c></row><row r="2"><c r="C2"><v>4</v></c></row>'
    sheet = f'<sheetData>{made}</sheetData><mergeCells count="1"><mergeCell ref="A1:B2"/></mergeCells>'
    assert rows_of(archive(sheet)) == [["1234567890123456"] * 2 + ["3"], ["1234567890123456"] * 2 + ["4"]]


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("2026-11-26T00:00:00", "26/11/2026"),
        ("2026-11-26", "26/11/2026"),
        ("2026-11-26T14:30:15", "26/11/2026 14:30"),
        ("2026-11-26T14:30:15.250Z", "26/11/2026 14:30"),
        ("2026-11-26T14:30", "26/11/2026 14:30"),
        ("14:30:00", "14:30"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_day_looks_the_same_however_it_is_written(written: str, shown: str) -> None:
    sheet = (
        f'<sheetData><row r="1"><c r="A1" t="d"><v>{written}</v></c><c r="B1" s="1"><v>46352</v></c></row></sheetData>'
    )
    styles = (
        f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    )
    assert rows_of(archive(sheet, **{"xl/styles.xml": styles})) == [[shown, "26/11/2026"]]


def test_parts_may_be_anywhere_in_a_workbook() -> None:
    """As the relationships of a package say, not where most programs put them."""
    shared = '<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" s="1"><v>46352</v></c></row></sheetData>'
    relation = f'<Relationship Id="{{}}" Type="{OFFICE}/{{}}" Target="{{}}"/>'.format
    parts = {
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{relation("r1", "officeDocument", "/Book.xml")}</Relationships>',
        "book.xml": f'<x:workbook xmlns:x="{MAIN}" xmlns:r="{OFFICE}"><x:workbookPr date1904="1"/><x:sheets>'
        '<x:sheet name="Hidden" sheetId="1" state="veryHidden" r:id="r9"/><x:sheet name="Chart" sheetId="2" r:id="r8"/>'
        '<x:sheet name="List &amp; more" sheetId="3" r:id="r2"/></x:sheets></x:workbook>',
        "_rels/book.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        + relation("r9", "worksheet", "other.xml")
        + relation("r8", "chartsheet", "chart.xml")
        + relation("r2", "worksheet", "./sheets/../data/one.xml")
        + relation("r3", "sharedStrings", "/texts/strings.xml")
        + relation("r4", "styles", "styles.xml")
        + "</Relationships>",
        "data\\One.xml": f'<worksheet xmlns="{MAIN}">{shared}</worksheet>',
        "texts/strings.xml": f'<sst xmlns="{MAIN}"><si><t>phone number</t></si></sst>',
        "styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>',
    }
    # day 0 is four years and a day later
    assert rows_of(packed(parts)) == [["phone number", "27/11/2030"]]
    del parts["_rels/.rels"]
    parts["[Content_Types].xml"] = (
        f'<Types xmlns="{PACKAGE}/content-types"><Override PartName="/book.xml" '
        'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
    )
    assert rows_of(packed(parts)) == [["phone number", "27/11/2030"]]


@pytest.mark.parametrize("stray", [" ", "x"])
def test_a_cell_far_away_is_not_part_of_the_table_of_an_old_excel_file(stray: str) -> None:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("List")
    sheet.write(0, 0, "phone number")
    sheet.write(1, 0, "1")
    sheet.write(65_535, 255, stray)
    assert rows_of(saved(workbook), "list.xls") == [["phone number"], ["1"]]


def test_an_old_excel_file_has_at_most_five_million_cells() -> None:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("List")
    sheet.write(0, 255, "phone number")
    sheet.write(65_535, 0, "1")
    with pytest.raises(UnreadableSpreadsheet) as caught:
        rows_of(saved(workbook), "list.xls")
    assert caught.value.code == "too_many_cells"


def test_a_workbook_by_another_name_is_one() -> None:
    assert rows_of(saved(excel([["phone number"], ["1"]])), "list.csv") == [["phone number"], ["1"]]


def test_a_workbook_is_a_list_of_recipients() -> None:
    data = saved(excel([["Phone number", "Name"], [7900900123, "Al"], ["07900900124", None]]))
    report = RecipientList(read_spreadsheet(data, "list.xlsx"), SmsTemplate("Hi ((name))")).check()
    assert (report.row_count, report.rows_with_errors, report.missing_columns) == (2, 1, ())
    assert report.first_rows_with_errors[0].cell_errors == {"Name": "Missing"}


# -- OpenDocument


def open_document_row(values: list[object], **attributes: object) -> Any:
    row = TableRow(**attributes)
    for value in values:
        if isinstance(value, float):
            cell = TableCell(valuetype="float", value=value)
        elif isinstance(value, str):
            cell = TableCell(valuetype="string")
            cell.addElement(P(text=value))
        else:
            cell = TableCell()
        row.addElement(cell)
    row.addElement(TableCell(numbercolumnsrepeated=16_000))
    return row


def test_open_documents() -> None:
    document = OpenDocumentSpreadsheet()
    hidden = Style(name="hidden", family="table")
    hidden.addElement(TableProperties(display="false"))
    document.automaticstyles.addElement(hidden)
    first, table = Table(name="Hidden", stylename=hidden), Table(name="List")
    first.addElement(open_document_row(["hidden"]))
    for column in (TableColumn(), TableColumn(visibility="collapse"), TableColumn(numbercolumnsrepeated=1000)):
        table.addElement(column)
    for row in (
        open_document_row(["phone number", "secret", "name"]),
        open_document_row([7900900123.0, "x", "Al"]),
        open_document_row(["2", "y", "Bo"], visibility="collapse"),
        open_document_row([None, None, None], numberrowsrepeated=2),
        open_document_row(["3", "z", "Cy"]),
        open_document_row([None], numberrowsrepeated=1_048_000),
    ):
        table.addElement(row)
    document.spreadsheet.addElement(first)
    document.spreadsheet.addElement(table)
    assert rows_of(saved(document), "list.ods") == [
        ["phone number", "name"],
        ["7900900123", "Al"],
        ["", ""],
        ["", ""],
        ["3", "Cy"],
    ]


def test_merged_cells_of_an_open_document_are_repeated() -> None:
    rows = open_document(
        '<table:table-row><table:table-cell office:value-type="string"><text:p>a</text:p></table:table-cell>'
        '<table:table-cell office:value-type="string"><text:p>b</text:p></table:table-cell></table:table-row>'
        '<table:table-row><table:table-cell table:number-columns-spanned="2" table:number-rows-spanned="2" '
        'office:value-type="string"><text:p>x</text:p></table:table-cell><table:covered-table-cell/></table:table-row>'
        '<table:table-row><table:covered-table-cell table:number-columns-repeated="2"/></table:table-row>'
        '<table:table-row><table:table-cell office:value-type="string"><text:p>y</text:p></table:table-cell></table:table-row>'
    )
    assert rows == [["a", "b"], ["x", "x"], ["x", "x"], ["y", ""]]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("<text:p>a<text:tab/>b<text:line-break/>c <text:span>d</text:span></text:p>", "a\tb\nc d"),
        ("<text:p>a<text:s/>b<text:s text:c='3'/>c</text:p>", "a b   c"),
        ("<text:p>one\n   two</text:p><text:p>three</text:p>", "one two\nthree"),
        (
            "<text:p><text:ruby><text:ruby-base>山田</text:ruby-base><text:ruby-text>やまだ</text:ruby-text></text:ruby></text:p>",
            "山田",
        ),
        ("<office:annotation><text:p>a comment</text:p></office:annotation><text:p>x</text:p>", "x"),
        ("<text:p><text:a>a@example.com</text:a></text:p>", "a@example.com"),
    ],
)
def test_texts_of_an_open_document(cell: str, shown: str) -> None:
    row = f'<table:table-row><table:table-cell office:value-type="string">{cell}</table:table-cell></table:table-row>'
    assert open_document(row) == [[shown]]


@pytest.mark.parametrize(
    ("attributes", "shown"),
    [
        ('office:value-type="float" office:value="98765432109876543210"', "98765432109876543210"),
        ('office:value-type="float" office:value="7900900123"', "7900900123"),
        ('office:value-type="currency" office:value="5.25"', "5.25"),
        ('office:value-type="percentage" office:value="0.5"', "0.5"),
        ('office:value-type="boolean" office:boolean-value="true"', "TRUE"),
        ('office:value-type="date" office:date-value="2026-11-26"', "26/11/2026"),
        ('office:value-type="date" office:date-value="2026-11-26T00:00:00"', "26/11/2026"),
        ('office:value-type="date" office:date-value="2026-11-26T14:30:15.5"', "26/11/2026 14:30"),
        ('office:value-type="date" office:date-value="some day"', "shown"),
        ('office:value-type="time" office:time-value="PT09H05M00S"', "09:05"),
        ('office:value-type="time" office:time-value="PT30H07M00.5S"', "30:07"),
        ('office:value-type="time" office:time-value="soon"', "shown"),
        ('office:value-type="string" office:string-value="" calcext:value-type="error"', None),
        ('office:value-type="string" office:string-value="whole"', "whole"),
        ("", "shown"),
    ],
)
def test_values_of_an_open_document(attributes: str, shown: str | None) -> None:
    row = f"<table:table-row><table:table-cell {attributes}><text:p>shown</text:p></table:table-cell></table:table-row>"
    assert open_document(row) == ([] if shown is None else [[shown]])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("<text:p>" + '<text:s text:c="9999999"/>' * 1000 + "</text:p>", "too_much_text"),
        ("<text:p>" + "<text:span>" * 5000 + "</text:span>" * 5000 + "</text:p>", "unreadable"),
        ("<text:p><text:s text:c='x'/></text:p>", "unreadable"),
    ],
)
def test_hostile_open_documents_are_refused(content: str, code: str) -> None:
    with pytest.raises(UnreadableSpreadsheet) as caught:
        open_document(f"<table:table-row><table:table-cell>{content}</table:table-cell></table:table-row>")
    assert caught.value.code == code


@pytest.mark.parametrize(
    "stray",
    [
        '<table:table-cell table:number-columns-repeated="16000"><text:p> </text:p></table:table-cell>',
        '<table:table-cell table:number-columns-repeated="16000" office:value-type="string"><text:p>x</text:p></table:table-cell>',
    ],
)
def test_a_cell_far_away_is_not_part_of_the_table_of_an_open_document(stray: str) -> None:
    cell = '<table:table-cell office:value-type="float" office:value="1"/>'
    rows = open_document(
        f"<table:table-row>{cell}</table:table-row><table:table-row>{cell}{stray}</table:table-row>"
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/><table:table-cell/></table:table-row>'
        f"<table:table-row><table:table-cell/>{cell}</table:table-row>"
    )
    assert rows == [["1"], ["1"]]


def open_document(rows: str) -> list[list[str]]:
    """The rows of a document with these."""
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    calc = "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"
    content = (
        f'<office:document-content{names} xmlns:calcext="{calc}"><office:body><office:spreadsheet>'
        f'<table:table table:name="List">{rows}</table:table></office:spreadsheet></office:body></office:document-content>'
    )
    return rows_of(packed({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content}))


@pytest.mark.parametrize(
    ("rows", "columns", "text", "code"),
    [
        (1_000_000, 1, "x", "too_many_rows"),
        (1, 16_000, "x", "too_many_columns"),
        (100_000, 900, "x", "too_many_cells"),
        (1000, 900, "x" * 100, "too_much_text"),
    ],
)
def test_repeated_cells_are_counted_before_they_are_made(rows: int, columns: int, text: str, code: str) -> None:
    document = OpenDocumentSpreadsheet()
    table, row = Table(name="List"), TableRow(numberrowsrepeated=rows)
    cell = TableCell(valuetype="string", numbercolumnsrepeated=columns)
    cell.addElement(P(text=text))
    row.addElement(cell)
    table.addElement(row)
    document.spreadsheet.addElement(table)
    with pytest.raises(UnreadableSpreadsheet) as caught:
        rows_of(saved(document), "list.ods")
    assert caught.value.code == code


# -- files that nobody's program writes


def archive(sheet: str, strings: str = "", **others: str) -> bytes:
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}">'
        '<sheets><sheet name="List" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="r1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}">{sheet}</worksheet>',
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{strings}</sst>',
        **others,
    }
    return packed(parts)


def packed(parts: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        for name, text in parts.items():
            target.writestr(name, text)
    return buffer.getvalue()


def cells(*references: str, content: str = "<v>1</v>") -> str:
    rows = "".join(f'<row><c r="{reference}">{content}</c></row>' for reference in references)
    return f"<sheetData>{rows}</sheetData>"


def test_an_archive_as_they_are_written_here_can_be_read() -> None:
    shared = '<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData>'
    assert rows_of(archive(shared, "<si><t>phone number</t></si>")) == [["phone number"]]


@pytest.mark.parametrize(
    ("references", "code"),
    [
        (["A1", "A200002"], "too_many_rows"),
        (["A1", "ALM1"], "too_many_columns"),
        (["A1", "ZZ1", "A10000"], "too_many_cells"),
        (["A1", "XFD1", "A1048576"], "too_many_rows"),
    ],
)
@pytest.mark.parametrize("content", ["<v>1</v>", "<is><t>1</t></is>"])
def test_a_sheet_is_not_read_that_would_take_all_of_the_memory(references: list[str], code: str, content: str) -> None:
    with pytest.raises(UnreadableSpreadsheet) as caught:
        rows_of(archive(cells(*references, content=content)))
    assert caught.value.code == code


STRAYS = ["XFD1048576", "A1048576", "ALM3", "XFD1", "ZZ199999"]


@pytest.mark.parametrize(
    "blank", ["<v/>", "<f>1+</f>", "<is/>", "<is><t> \u00a0</t></is>", '<v xml:space="preserve"> </v>']
)
@pytest.mark.parametrize("reference", STRAYS)
def test_a_blank_cell_far_away_is_not_part_of_the_table(reference: str, blank: str) -> None:
    table = cells("A1", "A2", "B2").removesuffix("</sheetData>")
    data = archive(f'{table}<row><c r="{reference}" t="inlineStr">{blank}</c></row></sheetData>')
    assert rows_of(data) == [["1"], ["1"]], "with what has no header"


@pytest.mark.parametrize("reference", ["XFD1048576", "B1048576", "ALM3", "ZZ199999"])
def test_a_value_far_away_without_a_header_is_not_part_of_the_table(reference: str) -> None:
    assert rows_of(archive(cells("A1", "A2", reference))) == [["1"], ["1"]]


def test_shared_texts_in_distant_cells_are_counted() -> None:
    rows = "".join(
        f'<row><c r="{reference}" t="s"><v>{number}</v></c></row>'
        for reference, number in [("A1", 1), ("ALM1", 0), ("A2", 1), ("A1048576", 0)]
    )
    assert rows_of(archive(f"<sheetData>{rows}</sheetData>", "<si><t> </t></si><si><t>x</t></si>")) == [["x"], ["x"]]


def test_a_great_many_cells_far_away_are_refused() -> None:
    row = "<row>" + '<c r="ALM1"><v/></c>' * 100_001 + "</row>"
    with pytest.raises(UnreadableSpreadsheet):
        rows_of(archive(f'<sheetData><row><c r="A1"><v>1</v></c></row>{row}</sheetData>'))


def test_a_sheet_as_large_as_may_be_is_read() -> None:
    assert len(rows_of(archive(cells("A1", "B200000")))) == 200_000


@pytest.mark.parametrize(
    ("sheet", "strings", "code"),
    [
        # one long text, in many cells
        (
            "<sheetData>" + '<row><c t="s"><v>0</v></c></row>' * 1000 + "</sheetData>",
            f"<si><t>{'x' * 60_000}</t></si>",
            "too_much_text",
        ),
        # much that takes no room when packed
        ("<sheetData>" + "<row/>" * 18_000_000 + "</sheetData>", "", "too_much_text"),
        (
            cells("A1", "ZZ2000") + "<mergeCells>" + '<mergeCell ref="A1:ZZ2000"/>' * 9 + "</mergeCells>",
            "",
            "too_many_cells",
        ),
        (cells("A1", content='<v>&lt;</v><v t="s">x</v>') + "<unclosed>", "", "unreadable"),
        ('<sheetData><row r="x"><c r="!!"><v>1</v></c></row></sheetData>', "", "unreadable"),
        ('<sheetData><row><c r="A1" t="s"><v>7</v></c></row></sheetData>', "<si><t>x</t></si>", "unreadable"),
    ],
)
def test_hostile_archives_are_refused(sheet: str, strings: str, code: str) -> None:
    with pytest.raises(UnreadableSpreadsheet) as caught:
        rows_of(archive(sheet, strings))
    assert caught.value.code == code


def test_entities_are_refused() -> None:
    bomb = f'<!DOCTYPE x [<!ENTITY a "{"x" * 1000}">]><worksheet xmlns="{MAIN}">{cells("A1", content="<v>&a;</v>")}</worksheet>'
    with pytest.raises(UnreadableSpreadsheet):
        rows_of(archive("", **{"xl/worksheets/sheet1.xml": bomb}))


def test_a_part_that_is_larger_than_it_says_is_refused() -> None:
    data = bytearray(archive(cells("A1")))
    sizes = [part for part in zipfile.ZipFile(io.BytesIO(data)).infolist() if part.filename.endswith("sheet1.xml")]
    found = data.rindex(b"xl/worksheets/sheet1.xml") - 46
    data[found + 24 : found + 28] = (sizes[0].file_size - 10).to_bytes(4, "little")
    with pytest.raises(UnreadableSpreadsheet):
        rows_of(bytes(data))


@pytest.mark.parametrize("kind", ["xlsx", "xls"])
def test_damaged_files_are_read_or_refused(kind: str) -> None:
    if kind == "xlsx":
        source = saved(excel([["phone number", "name"], [7900900123, "Al"]]))
    else:
        workbook = xlwt.Workbook()
        workbook.add_sheet("List").write(0, 0, "phone number")
        source = saved(workbook)
    chance = random.Random(3)
    for _ in range(150):
        data = bytearray(source)
        for _ in range(chance.choice([1, 1, 5])):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        try:
            rows_of(bytes(data), f"list.{kind}")
        except UnreadableSpreadsheet:
            continue
