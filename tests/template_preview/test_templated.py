"""Previews of templated letters over HTTP (contract: letters 6; conformance, letters/http.json)."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from notify.app import EXTENSION, create_app
from notify.infra.container import Container
from notify.infra.objects import Bucket
from notify.letters.preview_cache import PreviewCache
from notify.letters.render.logos import FOLDER
from notify.letters.render.previews import LetterPreviews
from notify.letters.render.renderer import LetterRenderer
from notify.letters.settings import LetterRenderSettings
from tests.conftest import fresh_parts
from tests.letters.pdfs import a_pdf
from tests.letters.render.recorded import LOGOS, SUITE, attachment, cases, letter_of

PATHS = ("/preview.pdf", "/preview.png", "/get-page-count")
SECRETS = ["my-secret-key", "my-secret-key2"]
TOKEN = {"Authorization": f"Token {SECRETS[0]}"}
ATTACHMENT_KEY = "service-11111111-2222-4333-8444-555555555555/66666666-7777-4888-8999-000000000000.pdf"
RECORDED = [each for each in json.loads((SUITE / "http.json").read_text()) if each.get("path") in PATHS]


@pytest.fixture(scope="module")
def app(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("templated")
    changes: dict[str, Any] = {"notify_log_level": "WARNING", "template_preview_internal_secrets": SECRETS}
    with fresh_parts(postgres_url, valkey_url, folder, **changes) as parts:
        app = create_app(parts.settings)
        objects = app.extensions[EXTENSION].parts.objects
        for name, drawing in LOGOS.items():
            objects.bucket(parts.settings.s3_bucket_logo_upload).put(f"{FOLDER}/{name}.svg", drawing)
        objects.bucket(parts.settings.s3_bucket_letter_attachments).put(ATTACHMENT_KEY, attachment())
        yield app
        app.extensions[EXTENSION].close()


def _post(app: Flask, path: str, **given: Any) -> TestResponse:
    return app.test_client().open(f"/template-preview{path}", **{"method": "POST", "headers": TOKEN} | given)


def _body_of(case: dict[str, Any]) -> dict[str, Any]:
    if "json" in case:
        return {"json": case["json"]}
    text = "{" if case.get("body") == "{" else json.dumps(RECORDED[0]["json"])
    return {"data": text, "content_type": case.get("headers", {}).get("Content-Type")} if "body" in case else {}


@pytest.mark.parametrize("case", RECORDED, ids=[case["name"] for case in RECORDED])
def test_answers_are_as_recorded(app: Flask, case: dict[str, Any]) -> None:
    headers = {name: value for name, value in case.get("headers", TOKEN).items() if name != "Content-Type"}
    answer = _post(
        app, case["path"], method=case["method"], headers=headers, query_string=case.get("query"), **_body_of(case)
    )
    expected = case["answer"]
    if expected["status"] == 500:  # what a caller got wrong is a 4xx of ours
        assert answer.status_code in (400, 404)
        assert (answer.json or {}).keys() == {"result", "message"}
        assert str((answer.json or {})["message"]) not in ("", "Internal server error")
        return
    assert (answer.status_code, answer.content_type) == (expected["status"], expected["content_type"])
    if expected["content_type"] == "application/json":
        _check_json(answer.json, expected["body"])
    elif "pages" in expected:
        with pikepdf.open(io.BytesIO(answer.data)) as pdf:
            assert len(pdf.pages) == expected["pages"]
    elif "pixels" in expected:
        picture = Image.open(io.BytesIO(answer.data))
        assert [*picture.size] == expected["pixels"]
        assert picture.mode == "RGBA"
        assert picture.getpixel((600, 5)) == (255, 255, 255, 0)
    else:
        assert answer.text == expected["body"]
        assert answer.headers.get("WWW-Authenticate") == expected.get("www_authenticate")


def _check_json(found: Any, expected: dict[str, Any]) -> None:
    message = expected.get("message", "")
    if message == "<any text>":
        assert found.keys() == expected.keys()
        assert found["message"]
    else:
        assert found == expected | ({"message": message.removesuffix(" (more lines follow)")} if message else {})


@pytest.mark.parametrize(
    "name", ["pages_11", "attachment_wrong_count", "welsh_5_english_6", "logo_wide", "address_none"]
)
def test_pages_are_counted_as_recorded(app: Flask, name: str) -> None:
    case = cases()[name]
    assert _post(app, "/get-page-count", json=case["request"]).json == case["page_count"]["body"]


def _cache(app: Flask) -> Bucket:
    container: Container = app.extensions[EXTENSION]
    settings = container.parts.settings.part(LetterRenderSettings)
    return container.parts.objects.bucket(settings.letter_cache_bucket_name)


def _cached(app: Flask) -> set[str]:
    folder = Path(app.extensions[EXTENSION].parts.settings.notify_data_dir)
    return {
        f"{file.parent.name}/{file.name}"
        for pattern in ("templated/*.pdf", "pngs/*.png")
        for file in folder.rglob(f"development-template-preview-cache/{pattern}")
    }


def test_pages_are_kept_in_the_bucket_and_taken_from_it(app: Flask) -> None:
    request = cases()["welsh_with_attachment"]["request"]
    before = _cached(app)
    first = _post(app, "/preview.png", json=request, query_string={"page": 2})
    made = _cached(app) - before
    assert sorted(key.partition("/")[0] for key in made) == ["pngs", "templated", "templated"]
    (picture,) = (key for key in made if key.startswith("pngs/"))
    assert _cache(app).get(picture) == first.data
    _cache(app).put(picture, b"from the bucket")
    container: Container = app.extensions[EXTENSION]
    another = LetterPreviews(container.get(LetterRenderer), PreviewCache.build(container))  # as another process has it
    assert another.png(letter_of(request), 2) == b"from the bucket"
    assert another.png(letter_of(request), 3) == another.png(letter_of(request), -1)
    _cache(app).put(picture, first.data)


def test_pages_of_pdfs_are_kept_with_and_without_their_tag(app: Flask) -> None:
    pdf = base64.b64encode(a_pdf(3))
    before = _cached(app)
    queries: list[dict[str, Any]] = [{}, {"hide_notify": "true"}, {"page": 3}]
    first = [_post(app, "/precompiled-preview.png", data=pdf, query_string=query).data for query in queries]
    made = _cached(app) - before
    assert {_cache(app).get(key) for key in made} == set(first)
    assert len(made) == 3
    assert [_post(app, "/precompiled-preview.png", data=pdf, query_string=query).data for query in queries] == first
    assert _post(app, "/precompiled-preview.png", data=pdf, query_string={"page": 4}).status_code == 400
    given = dict(
        zip(
            ("service_id", "letter_attachment_id"),
            re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", ATTACHMENT_KEY),
            strict=True,
        )
    )
    assert _post(app, "/letter_attachment_preview.png", json=given, query_string={"page": 1}).status_code == 200
    assert len(_cached(app) - before) == 4


class _BrokenBucket:
    def get(self, _key: str) -> bytes:
        raise OSError("away")

    def put(self, *_given: object) -> str:
        raise OSError("away")


def test_without_its_bucket_a_preview_is_made_each_time(app: Flask) -> None:
    container: Container = app.extensions[EXTENSION]
    kept = PreviewCache(_BrokenBucket())  # type: ignore[arg-type]
    previews = LetterPreviews(container.get(LetterRenderer), kept)
    request = cases()["one_page_plain"]["request"]
    assert previews.png(letter_of(request), 1).startswith(b"\x89PNG")
    assert previews.pdf(letter_of(request)).pages == 1


def test_a_body_that_is_too_large_is_refused(app: Flask) -> None:
    answer = _post(app, "/preview.pdf", data=b"[" + b" " * 3 * 2**20 + b"]", content_type="application/json")
    assert answer.status_code == 413
    assert (answer.json or {})["result"] == "error"


@pytest.mark.parametrize(
    "change",
    [
        {"filename": "../../x"},
        {"filename": "a\u0000b"},
        {"filename": "x" * 2000},
        {"date": "0001-01-01T00:00:00+23:59"},
        {"date": "9999-12-31T23:59:59-23:59"},
        {"values": {"address_line_1": {"a": []}, "1": 2, "": None}},
        {"values": {"address_line_1": "\ud800", "postcode": 10**30}},
        {"letter_contact_block": "((\u0000))"},
    ],
)
def test_odd_requests_are_answered(app: Flask, change: dict[str, Any]) -> None:
    answer = _post(app, "/preview.pdf", json=RECORDED[0]["json"] | change)
    assert answer.status_code in (200, 400)
