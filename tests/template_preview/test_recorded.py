"""The recorded conversations about precompiled PDFs (tests/conformance/suite/letters/http.json). Where the recording has a
500 for something that the caller got wrong, we answer a 4xx.
"""

from __future__ import annotations

import base64
import io
import re
from typing import Any, Final

import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from notify.app import EXTENSION
from tests.letters.precompiled import reading
from tests.letters.precompiled.hostile import huge_page
from tests.letters.recorded import answers, recorded_pdf
from tests.template_preview.conftest import Preview

TEMPLATED: Final = ("/preview.pdf", "/preview.png", "/get-page-count")
"""Made of templates: another module and its tests."""
SERVICE: Final = "11111111-2222-4333-8444-555555555555"
ATTACHMENT: Final = "66666666-7777-4888-8999-000000000000"
RECORDED: Final = [one for one in answers("http.json") if "answer" in one and one["path"] not in TEMPLATED]


@pytest.fixture(scope="module", autouse=True)
def attachment(preview_app: Flask) -> None:
    parts = preview_app.extensions[EXTENSION].parts
    bucket = parts.objects.bucket(parts.settings.s3_bucket_letter_attachments)
    bucket.put(f"service-{SERVICE}/{ATTACHMENT}.pdf", recorded_pdf("pages_02"))


def _ask(preview: Preview, recorded: dict[str, Any]) -> TestResponse:
    given: dict[str, Any] = {"query_string": recorded.get("query")}
    body = recorded.get("body")
    if body is not None:
        name = body.removeprefix("base64 of ")
        content = recorded_pdf(name.removesuffix(".pdf")) if name.endswith(".pdf") else body.encode()
        given["data"] = base64.b64encode(content) if body.startswith("base64 of ") else content
    if "json" in recorded:
        given["json"] = recorded["json"]
    authorization = recorded.get("headers", {"Authorization": "Token my-secret-key"}).get("Authorization")
    return preview.call(recorded["method"], recorded["path"], authorization, **given)


def _matches(found: Any, wanted: Any) -> bool:
    """Whether a value is the recorded one; `<...>` stands for any text, and only first lines were kept."""
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict) and set(found) == set(wanted) and all(_matches(found[k], wanted[k]) for k in wanted)
        )
    if isinstance(wanted, str):
        first = wanted.removesuffix(" (more lines follow)")
        pattern = ".*".join(re.escape(piece) for piece in re.split(r"<[a-z0-9 ]+>", first))
        text = str(found) if first == wanted else str(found).partition("\n")[0]
        return re.fullmatch(pattern, text, re.DOTALL) is not None
    return bool(found == wanted)


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: str(recorded["name"]))
def test_the_answer_is_the_recorded_one(preview: Preview, recorded: dict[str, Any]) -> None:
    found, answer = _ask(preview, recorded), recorded["answer"]
    if answer["status"] == 500:
        assert 400 <= found.status_code < 500
        assert set(found.json or {}) == {"result", "message"}
        return
    assert found.status_code == answer["status"], found.text[:200]
    assert found.content_type == answer["content_type"]
    if "www_authenticate" in answer:
        assert found.headers["WWW-Authenticate"] == answer["www_authenticate"]
    if isinstance(answer.get("body"), dict):
        assert _matches(found.json, answer["body"]), found.json
    elif "body" in answer:
        assert found.text == answer["body"]
    if "pages" in answer:
        assert len(reading.opened(found.data).pages) == answer["pages"]
    if "pixels" in answer:
        _check_picture(found.data, answer)


def _check_picture(content: bytes, answer: dict[str, Any]) -> None:
    picture = Image.open(io.BytesIO(content))
    assert list(picture.size) == answer["pixels"]
    assert picture.mode == "RGBA"
    if answer.get("paper_is_transparent"):
        assert picture.getpixel((picture.width // 2, picture.height - 200))[3] == 0  # type: ignore[index]
    paper = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    paper.alpha_composite(picture)
    if "darkest_grey_in_top_left_130x50_pixels" in answer:
        darkest = paper.crop((0, 0, 130, 50)).convert("L").getextrema()[0]
        assert abs(darkest - answer["darkest_grey_in_top_left_130x50_pixels"]) <= 8  # how edges are smoothed is free
    for place, colour in answer.get("colour_at_mm", {}).items():
        x, y = (round(float(part) * 150 / 25.4) for part in place.split(","))
        red, green, blue, _ = paper.getpixel((x, y))  # type: ignore[misc]
        wanted = tuple(bytes.fromhex(colour[1:]))
        assert max(abs(a - b) for a, b in zip((red, green, blue), wanted, strict=True)) <= 1, place


@pytest.mark.parametrize("page", [1, 2])
def test_the_overlay_draws_the_recorded_zones(preview: Preview, page: int) -> None:
    zones = next(
        one["drawn"] for one in answers("http.json") if one["name"].startswith(f"what overlay.pdf drew on page {page}")
    )
    made = preview.post("/precompiled/overlay.pdf", data=recorded_pdf("pages_02")).data
    opened = reading.opened(made)
    drawn = bytes(opened.pages[page - 1].Contents[-1].read_bytes())
    boxes = [[float(one) for one in box] for box in re.findall(rb"([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re", drawn)]
    found = [
        [
            round(value * reading.POINT, 1)
            for value in (x, 297 / reading.POINT - y - height, x + width, 297 / reading.POINT - y)
        ]
        for x, y, width, height in boxes
    ]
    assert found == [[zone[key] for key in ("x", "y", "x2", "y2")] for zone in zones]


def test_a_large_body_is_refused_before_it_is_read(preview: Preview) -> None:
    answer = preview.post("/precompiled/sanitise", data=b"%PDF" + bytes(11 * 1024 * 1024))
    assert (answer.status_code, (answer.json or {})["result"]) == (413, "error")


def test_a_large_body_without_a_secret_is_refused_with_401(preview: Preview) -> None:
    answer = preview.post("/precompiled/sanitise", authorization=None, data=bytes(5 * 1024 * 1024))
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "path", ["/precompiled/overlay.pdf", "/precompiled/overlay.png?page_number=1", "/precompiled/sanitise"]
)
def test_no_pdf_at_all_is_a_400(preview: Preview, path: str) -> None:
    assert preview.post(path, data=b"no PDF").status_code == 400


def test_a_page_of_any_size_is_no_picture(preview: Preview) -> None:
    answer = preview.post("/precompiled-preview.png", data=base64.b64encode(huge_page()))
    assert (answer.status_code, answer.json) == (
        400,
        {"result": "error", "message": "400 Bad Request: Could not read PDF"},
    )


@pytest.mark.parametrize("ids", [("../../etc", ATTACHMENT), (SERVICE, "../x"), (SERVICE, "")])
def test_an_attachment_is_asked_for_by_ids_only(preview: Preview, ids: tuple[str, str]) -> None:
    given = {"service_id": ids[0], "letter_attachment_id": ids[1]}
    assert preview.post("/letter_attachment_preview.png?page=1", json=given).status_code == 404


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"data": b"{", "content_type": "application/json"}, 400),
        ({"data": b"{}", "content_type": "text/plain"}, 415),
        ({"json": []}, 400),
        ({"json": {"service_id": 1, "letter_attachment_id": "x"}}, 400),
    ],
)
def test_a_body_that_is_no_object_is_refused(preview: Preview, given: dict[str, Any], status: int) -> None:
    answer = preview.post("/letter_attachment_preview.png?page=1", **given)
    assert answer.status_code == status
    assert (answer.json or {})["result"] == "error"
