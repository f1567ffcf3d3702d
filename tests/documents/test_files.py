import base64
import io
import zipfile
from typing import Any

import pytest
import xlwt

from notify.documents.files import find_files
from notify.infra.errors import ProblemError, ValidationProblemError

PDF = base64.b64encode(b"%PDF-1.4 hello").decode()


def office(part: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(part, "x")
    return content.getvalue()


def read(**value: Any) -> Any:
    return find_files({"doc": {"file": PDF, **value}})["doc"]


@pytest.mark.parametrize(
    ("content", "options", "extension", "mime_type"),
    [
        (b"%PDF-1.4", {}, ".pdf", "application/pdf"),
        (b"a,b\n1,2", {"is_csv": True}, ".csv", "text/csv"),
        (b"a,b\n1,2", {"is_csv": False}, ".txt", "text/plain"),
        (b'{"a": 1}', {}, ".json", "application/json"),
        (b"\x89PNG\r\n\x1a\n...", {}, ".png", "image/png"),
        (b"{\\rtf1", {}, ".rtf", "application/rtf"),
        (office("word/document.xml"), {}, ".docx", None),
        (office("xl/workbook.xml"), {}, ".xlsx", None),
        (b"a,b", {"filename": "figures.CSV"}, ".csv", "text/csv"),
    ],
)
def test_the_type_is_found(content: bytes, options: dict[str, Any], extension: str, mime_type: str | None) -> None:
    found = read(file=base64.b64encode(content).decode(), **options)
    assert found.content == content
    assert found.extension == extension
    assert mime_type in (None, found.mime_type)


def excel_97() -> bytes:
    book, content = xlwt.Workbook(), io.BytesIO()
    book.add_sheet("a").write(0, 0, "x")
    book.save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "is_csv", "extension"),
    [
        ("name,ref\nAnn,1".encode("utf-16"), True, ".csv"),
        ("hello".encode("utf-16-be"), None, None),
        ("hello".encode("utf-16"), None, ".txt"),
        ("hello".encode("utf-32"), False, ".txt"),
        (b"[First Name],[Ref]\n[Ann],[1]", True, ".csv"),
        (b"[1, 2]", True, ".csv"),
        (b"[1, 2]", False, ".json"),
        (b"[DRAFT] text [END]", None, ".txt"),
        (b"%PDF-1.4", True, ".pdf"),
    ],
)
def test_what_texts_are(content: bytes, is_csv: bool | None, extension: str | None) -> None:
    given = base64.b64encode(content).decode()
    if extension is None:
        with pytest.raises(ProblemError):
            read(file=given, is_csv=is_csv)
    else:
        assert read(file=given, is_csv=is_csv).extension == extension


@pytest.mark.parametrize(
    ("content", "mime_type"),
    [
        (b"<!DOCTYPE html><script>alert(1)</script>", "text/html"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "image/svg+xml"),
        (b"%!PS-Adobe-3.0", "application/postscript"),
        (b"GIF89a and no NUL", "image/gif"),
        (excel_97(), "application/vnd.ms-excel"),
        (office("readme.txt"), "application/zip"),
    ],
)
@pytest.mark.parametrize("is_csv", [None, True])
def test_other_types_are_refused_by_what_they_are(content: bytes, mime_type: str, is_csv: bool | None) -> None:
    with pytest.raises(ProblemError) as caught:
        read(file=base64.b64encode(content).decode(), is_csv=is_csv)
    assert caught.value.messages[0].startswith(f"Unsupported file type '{mime_type}'. Supported types are: '.csv'")


@pytest.mark.parametrize(
    ("filename", "clean"),
    [
        ("report.pdf", "report.pdf"),
        ("Adroddiad é 山.pdf", "Adroddiad é 山.pdf"),
        ("a\u202efdp.csv", "afdp.csv"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\a.pdf", "a.pdf"),
        ("a\r\nb\0.pdf", "a b .pdf"),
        ("  a   b.pdf ", "a b.pdf"),
        (".pdf", "file.pdf"),
        ("\u200b.pdf", "file.pdf"),
        ("a.b/.pdf", "file.pdf"),
        (" . .pdf", "file.pdf"),
    ],
)
def test_names_lose_what_is_not_seen(filename: str, clean: str) -> None:
    assert read(filename=filename).filename == clean


@pytest.mark.parametrize("filename", ["..", ".", "a/..", "report.", "\u202e."])
def test_names_without_an_ending(filename: str) -> None:
    with pytest.raises(ProblemError):
        read(filename=filename)


def test_what_is_usual() -> None:
    found = read()
    assert (found.confirm_email, found.retention_weeks, found.filename) == (True, 26, None)
    found = read(confirm_email_before_download=False, retention_period=" 1 WEEK ", filename="a.pdf")
    assert (found.confirm_email, found.retention_weeks, found.filename) == (False, 1, "a.pdf")


RETENTION = "retention_period Unsupported value for retention_period: {}. Supported periods are from 1 to 78 weeks."


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        ({"file": 1}, ["file 1 is not of type string"]),
        ({"file": {}}, ["file {} is not of type string"]),
        ({"is_csv": "yes"}, ["is_csv Unsupported value for is_csv: yes. Use a boolean true or false value."]),
        ({"is_csv": 1}, ["is_csv Unsupported value for is_csv: 1. Use a boolean true or false value."]),
        (
            {"confirm_email_before_download": "no"},
            [
                "confirm_email_before_download Unsupported value for confirm_email_before_download: no. "
                "Use a boolean true or false value."
            ],
        ),
        ({"retention_period": "79 weeks"}, [RETENTION.format("79 weeks")]),
        ({"retention_period": 5}, [RETENTION.format("5")]),
        (
            {"filename": "report"},
            ["filename `filename` must end with a file extension. For example, filename.csv"],
        ),
        ({"is_csv": None, "filename": "a.csv"}, ["Do not set a value for `is_csv` if `filename` is set."]),
        (
            {"x": 1, "file": 1},
            ["Additional properties are not allowed (x was unexpected)", "file 1 is not of type string"],
        ),
    ],
)
def test_objects_that_break_the_schema(options: dict[str, Any], messages: list[str]) -> None:
    with pytest.raises(ValidationProblemError) as caught:
        read(**options)
    assert caught.value.messages == messages


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"file": ""}, "Document must not be empty"),
        ({"file": "~~~"}, "Document is not base64 encoded"),
        ({"file": base64.b64encode(b"x" * 2_200_000).decode()}, "Uploaded file exceeds file size limit"),
        ({"file": base64.b64encode(b"\xff\x00\xfe").decode()}, "Unsupported file type 'application/octet-stream'."),
        ({"filename": "virus.exe"}, "Unsupported file type '.exe'. Supported types are: '.csv', '.doc', '.docx'"),
        ({"filename": "x" * 98 + ".pdf"}, "`filename` cannot be longer than 100 characters"),
    ],
)
def test_files_that_cannot_be_sent(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read(**options)
    assert caught.value.messages[0].startswith(message)


def test_an_object_without_a_file_is_an_ordinary_value() -> None:
    assert find_files({"a": {"x": 1}, "b": "c"}) == {}
