"""The virus scanner over HTTP (contract: letters 9, admin-app 2.4)."""

from __future__ import annotations

import io

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from notify.app import EXTENSION, create_app
from notify.documents.antivirus import EICAR
from notify.settings import SettingsError, load
from tests.api import with_settings
from tests.production import PRODUCTION
from tests.servers.clamd import ClamdServer

KEY = "Bearer test-key"


def scan(
    app: Flask, content: bytes | None, *, authorization: str | None = KEY, field: str = "document"
) -> TestResponse:
    headers = {"Authorization": authorization} if authorization else {}
    form = {} if content is None else {field: (io.BytesIO(content), "file.pdf")}
    return app.test_client().post("/antivirus/scan", data=form, content_type="multipart/form-data", headers=headers)


@pytest.mark.parametrize(
    ("content", "is_clean"),
    [(b"%PDF-1.7 clean", True), (b"<svg></svg>", True), (b"", True), (b"x" * 2_000_000, True), (b"a" + EICAR, False)],
)
def test_a_file_is_scanned(checks_app: Flask, content: bytes, is_clean: bool) -> None:
    answer = scan(checks_app, content)
    assert (answer.status_code, answer.json) == (200, {"ok": is_clean})


@pytest.mark.parametrize("authorization", [None, "Bearer wrong", "Token test-key", "test-key", "Bearer "])
def test_a_caller_without_the_secret_is_refused_before_the_file_is_read(
    checks_app: Flask, authorization: str | None
) -> None:
    answer = scan(checks_app, b"a" + EICAR, authorization=authorization)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_request_without_a_file(checks_app: Flask) -> None:
    for answer in (
        scan(checks_app, None),
        scan(checks_app, b"x", field="file"),
        checks_app.test_client().post("/antivirus/scan", json={"document": "x"}, headers={"Authorization": KEY}),
    ):
        assert (answer.status_code, answer.json) == (400, {"error": "No document upload"})


def test_a_file_of_any_size_is_not_read(checks_app: Flask) -> None:
    assert scan(checks_app, b"x" * 11_000_000).status_code == 413


def test_a_wrong_method_and_an_unknown_address(checks_app: Flask) -> None:
    client = checks_app.test_client()
    assert client.get("/antivirus/scan", headers={"Authorization": KEY}).status_code == 405
    assert client.post("/antivirus/nothing", headers={"Authorization": KEY}).status_code == 404


def test_status_says_whether_the_scanner_works(checks_app: Flask) -> None:
    assert checks_app.test_client().get("/antivirus/_status").text == "ok"
    parts = checks_app.extensions[EXTENSION].parts
    with ClamdServer() as server:
        app = create_app(with_settings(parts, clamd_address=server.address).settings)
        assert app.test_client().get("/antivirus/_status").text == "ok"
        assert scan(app, b"a" + EICAR).json == {"ok": False}
        server.hang_up()
        unsure = scan(app, b"%PDF-1.7")
        assert (unsure.status_code, unsure.json) == (503, {"error": "The file could not be scanned"})
    gone = app.test_client().get("/antivirus/_status")
    assert (gone.status_code, gone.data) == (500, b"")
    app.extensions[EXTENSION].close()


def test_elsewhere_there_is_no_published_secret() -> None:
    closed = create_app(load(**PRODUCTION))
    assert scan(closed, b"x").status_code == 404
    opened = create_app(load(**PRODUCTION, apis="public,file_checks", antivirus_api_key="8f14e45fceea167a" * 3))
    assert scan(opened, b"x").status_code == 401
    assert scan(opened, b"x", authorization="Bearer " + "8f14e45fceea167a" * 3).json == {"ok": True}
    unset = opened.test_client().post(
        "/document-download/services/f2b7a1a8-5c6e-4c53-9b1a-4f4f0a0c9d11/antivirus-and-mimetype-check",
        headers={"Authorization": "Bearer auth-token"},
    )
    assert unset.status_code == 401
    for app in (closed, opened):
        app.extensions[EXTENSION].close()
    for name in ("antivirus_api_key", "document_download_api_key"):
        with pytest.raises(SettingsError, match=name.upper()):
            load(**PRODUCTION | {name: "test-key"})
