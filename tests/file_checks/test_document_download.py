"""The check of a file that is attached to an email template (contract: admin-app 2.5)."""

from __future__ import annotations

import base64
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from notify.documents.antivirus import EICAR
from tests.documents.test_files import office

LARGEST = 2 * 1024 * 1024 + 1024
ENDING = "`filename` must end with a file extension. For example, filename.csv"


def check(app: Flask, body: Any, *, authorization: str = "Bearer auth-token", service: str = "") -> TestResponse:
    return app.test_client().post(
        f"/document-download/services/{service or uuid4()}/antivirus-and-mimetype-check",
        json=body,
        headers={"Authorization": authorization},
    )


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.mark.parametrize(
    ("content", "filename", "mimetype"),
    [
        (b"%PDF-1.7", "map.pdf", "application/pdf"),
        (b"a,b\n", "People.CSV", "text/csv"),
        (office("word/document.xml"), "letter.docx", None),
        (office("xl/workbook.xml"), "sheet.xlsx", None),
        (b"MZ Allen, 12 High Street", "people.txt", "text/plain"),
        (b"x" * LARGEST, "long.txt", "text/plain"),
        (b"%PDF-1.7", None, "application/pdf"),
    ],
)
def test_a_good_file(checks_app: Flask, content: bytes, filename: str | None, mimetype: str | None) -> None:
    answer = check(checks_app, {"document": encoded(content)} | ({"filename": filename} if filename else {}))
    assert answer.status_code == 200, answer.text
    assert isinstance(answer.json, dict)
    assert mimetype is None or answer.json["mimetype"] == mimetype


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [
        ({}, 400, "No document upload"),
        ([], 400, "No document upload"),
        (None, 400, "Invalid JSON supplied in POST data"),
        ({"document": None}, 400, "No document upload"),
        ({"document": 1}, 400, "Document is not base64 encoded"),
        ({"document": "§"}, 400, "Document is not base64 encoded"),
        ({"document": ""}, 400, "Document must not be empty"),
        (
            {"document": encoded(b"x" * (LARGEST + 1)), "filename": "x.txt"},
            413,
            "Uploaded file exceeds file size limit",
        ),
        ({"document": "A" * (3 * 1024 * 1024)}, 413, "Uploaded file exceeds file size limit"),
        ({"document": encoded(b"x"), "filename": 7}, 400, ENDING),
        ({"document": encoded(b"x"), "filename": "noending"}, 400, ENDING),
        (
            {"document": encoded(b"x"), "filename": "a" * 97 + ".txt"},
            400,
            "`filename` cannot be longer than 100 characters",
        ),
        ({"document": encoded(b"x"), "is_csv": "yes"}, 400, "Value for is_csv must be a boolean"),
        ({"document": encoded(b"a" + EICAR), "filename": "a.txt"}, 400, "File did not pass the virus scan"),
        ({"document": encoded(b"MZ\x90\0"), "filename": "a.pdf"}, 400, "File did not pass the virus scan"),
        ({"document": encoded(office("evil.exe")), "filename": "a.docx"}, 400, "File did not pass the virus scan"),
    ],
)
def test_what_is_refused(checks_app: Flask, body: Any, status: int, error: str) -> None:
    answer = check(checks_app, body)
    assert (answer.status_code, answer.json) == (status, {"error": error})


def test_an_unsupported_type_is_named(checks_app: Flask) -> None:
    answer = check(checks_app, {"document": encoded(b"x"), "filename": "run.exe"})
    assert answer.status_code == 400
    assert (answer.json or {})["error"].startswith("Unsupported file type '.exe'. Supported types are: '.csv', '.doc'")


def test_only_with_the_secret_of_this_service(checks_app: Flask) -> None:
    for authorization in ("", "Bearer test-key", "Token auth-token"):
        assert check(checks_app, {"document": "eA=="}, authorization=authorization).status_code == 401
    assert check(checks_app, {"document": "eA=="}, service="nothing").status_code == 404
