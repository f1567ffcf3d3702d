from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.spreadsheet_limits import LONGEST_CELL, UnreadableSpreadsheet
from notify.content.spreadsheets import CsvText, read_spreadsheet, to_csv

UNREADABLE = "Notify cannot read this file - try using a different file type"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\n1,2", [["a", "b"], ["1", "2"]]),
        ("\ufeffa,b\r\n1,2\r\n", [["a", "b"], ["1", "2"]]),
        ("a,b\r1,2\r", [["a", "b"], ["1", "2"]]),
        ('a,b\n"x, y","say ""hi"""', [["a", "b"], ["x, y", 'say "hi"']]),
        ('a,b\n"two\r\nlines",2', [["a", "b"], ["two\r\nlines", "2"]]),
        ("a,  b\n1, 2", [["a", "b"], ["1", "2"]]),
        ("a;b\n1\t2", [["a;b"], ["1\t2"]]),
        ("\n\n a\n\n1\n , ,\n,,\u200b\n", [["a"], [], ["1"]]),
        ("a\n1\u2028x\x0b\x85", [["a"], ["1\u2028x\x0b\x85"]]),
        ("a\0b\n1", [["a\0b"], ["1"]]),
        ('a\n"never closed\n1', [["a"], ["never closed\n1"]]),
        ("", []),
        (" ,\n\u200b,", []),
    ],
)
def test_stored_text_is_read_with_commas_only(text: str, rows: list[list[str]]) -> None:
    file = CsvText(text)
    assert list(file) == rows
    assert list(file) == rows, "it can be read again"


def test_a_cell_that_is_too_long_is_reported() -> None:
    assert len(list(CsvText("a\n" + "x" * LONGEST_CELL))) == 2
    with pytest.raises(UnreadableSpreadsheet, match=r"a cell with more than 131,072 characters$") as caught:
        list(CsvText('a\n"' + "x\n" * LONGEST_CELL))
    assert caught.value.code == "cell_too_long"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("phone number,name\n1,2", [["phone number", "name"], ["1", "2"]]),
        ("phone number\tname\n1\t2, 3", [["phone number", "name"], ["1", "2, 3"]]),
        ("phone number;name\n1;2, 3", [["phone number", "name"], ["1", "2, 3"]]),
        ("phone number|name\n1|2", [["phone number", "name"], ["1", "2"]]),
        ('"name; first";number\n1;2', [["name; first", "number"], ["1", "2"]]),
        ("phone number\n1", [["phone number"], ["1"]]),
        ("a;b\n" + "x" * 200_000, None),
    ],
)
def test_the_delimiter_of_a_file_is_the_one_that_makes_most_headers(text: str, rows: list[list[str]] | None) -> None:
    file = read_spreadsheet(text.encode(), "list.csv")
    if rows is None:
        with pytest.raises(UnreadableSpreadsheet):
            list(file)
    else:
        assert list(file) == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        (
            'phone number,"options: a;b;c;d"\n07700900123,x',
            [["phone number", "options: a;b;c;d"], ["07700900123", "x"]],
        ),
        ("phone number,options: a;b;c;d\n07700900123,x", [["phone number", "options: a;b;c;d"], ["07700900123", "x"]]),
        (
            "Phone_Number;name (first, middle, last, suffix)\n07700900123;x",
            [["Phone_Number", "name (first, middle, last, suffix)"], ["07700900123", "x"]],
        ),
        # a delimiter that makes more headers, to which the rows do not fit
        ("name,size: s|m|l|xl\nAl,s\nBo,m", [["name", "size: s|m|l|xl"], ["Al", "s"], ["Bo", "m"]]),
        ("name, first\tphone number\nAl\t07900900123", [["name, first", "phone number"], ["Al", "07900900123"]]),
        ("email address\na@example.com;x|y,z", [["email address"], ["a@example.com;x|y", "z"]]),
    ],
)
def test_a_delimiter_has_to_fit_the_rows_or_make_a_known_column(text: str, rows: list[list[str]]) -> None:
    assert list(read_spreadsheet(text.encode(), "list.csv")) == rows


def test_the_name_of_a_file_decides_where_its_content_does_not() -> None:
    data = b"name, first\tsize\nAl, Bo\tx"
    assert list(read_spreadsheet(data, "list.tsv"))[1] == ["Al, Bo", "x"]
    assert list(read_spreadsheet(data, "list.csv"))[1] == ["Al", "Bo\tx"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_files_in_the_usual_encodings(encoding: str) -> None:
    data = "name,town\nZoë “Bo” O’Neill,Llanbêr\n".encode(encoding)
    assert list(read_spreadsheet(data, "People.CSV")) == [["name", "town"], ["Zoë “Bo” O’Neill", "Llanbêr"]]


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ("René,".encode() + b"Ren\xe9", ["René", "René"]),
        ("José;Zoë;O’Brien;".encode() + b"Andr\xe9", ["José;Zoë;O’Brien;André"]),
        ("McÉvoy,Anne-Élise,L’Hôpital,Gal·la,Ó Sé,£5,Mañana".encode("cp1252"), None),
        ("“Zoë” – Łódź".encode(), ["“Zoë” – Łódź"]),
    ],
)
def test_a_byte_of_another_encoding_does_not_change_the_rest(data: bytes, names: list[str] | None) -> None:
    cells = list(read_spreadsheet(b"a,b\n" + data, "list.csv"))[1]
    assert cells == (names or ["McÉvoy", "Anne-Élise", "L’Hôpital", "Gal·la", "Ó Sé", "£5", "Mañana"])


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("René “x”", "mac_roman"),
        ("Müller", "mac_roman"),
        ("René", "cp850"),
        ("Michèle", "cp850"),
        ("Jörg", "cp850"),
        ("Jesús", "cp850"),
        ("Björn,Åsa,Kadıköy", "cp857"),
    ],
)
def test_a_file_whose_names_would_go_out_wrong_is_refused(text: str, encoding: str) -> None:
    with pytest.raises(UnreadableSpreadsheet) as caught:
        read_spreadsheet(f"phone number,name\n07700900123,{text}".encode(encoding), "list.csv")
    assert str(caught.value) == UNREADABLE


def test_text_that_was_decoded_wrongly_before_is_not_sent_on() -> None:
    with pytest.raises(UnreadableSpreadsheet):
        read_spreadsheet(b"name\nRen\xc3", "list.csv")


@pytest.mark.parametrize("end", ["\x1a", "\r\n\x1a", "\x1a\x1a", "\r\n\x1a\r\n", "\n\x1a\n\x1a\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_the_end_of_file_mark_of_dos_makes_no_row(end: str, encoding: str) -> None:
    data = f"name\r\nZoë{end}".encode(encoding)
    assert list(read_spreadsheet(data, "list.csv")) == [["name"], ["Zoë"]]


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"name\n\x81\xff", "list.csv"),
        (b"name\n\0\0\0\0", "list.csv"),
        (b"\xff\xfea", "list.csv"),
        (b"%PDF-1.7", "list.pdf"),
        (b"a,b", "list"),
        (b"<html><table>", "list.xls"),
        (b"PK\x03\x04 and nothing else", "list.xlsx"),
        (b"PK\x03\x04 and nothing else", "list.csv"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "list.xls"),
        (b"", "list.ods"),
    ],
)
def test_what_is_no_spreadsheet_is_refused_in_the_contract_s_words(data: bytes, name: str) -> None:
    with pytest.raises(UnreadableSpreadsheet) as caught:
        list(read_spreadsheet(data, name))
    assert str(caught.value) == UNREADABLE


def test_a_file_may_have_ten_megabytes() -> None:
    assert list(read_spreadsheet(b"a\n" + b"\n" * (10 * 2**20 - 2), "list.csv")) == [["a"]]
    with pytest.raises(UnreadableSpreadsheet, match=r"^The file must be smaller than 10MB$"):
        read_spreadsheet(b"\n" * (10 * 2**20 + 1), "list.csv")


def test_rows_are_stored_as_the_contract_has_them() -> None:
    rows = [["phone number", "name"], ["07900900123", 'Zoë, "Al"\nBo']]
    assert to_csv(rows) == 'phone number,name\r\n07900900123,"Zoë, ""Al""\nBo"\r\n'.encode()


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"]), min_size=1).map(lambda cell: f"x{cell}x"), min_size=1
        ),
        min_size=1,
    )
)
def test_what_is_stored_is_read_back(rows: list[list[str]]) -> None:
    assert list(CsvText(to_csv(rows).decode())) == rows


@given(st.binary(max_size=300), st.sampled_from(["csv", "tsv"]))
def test_any_bytes_are_rows_or_refused(data: bytes, extension: str) -> None:
    try:
        rows = list(read_spreadsheet(data, f"list.{extension}"))
    except UnreadableSpreadsheet:
        return
    assert all(isinstance(cell, str) for row in rows for cell in row)
