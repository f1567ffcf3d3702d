"""Letters by the official clients, against the running product: from the request to the PDF."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from notifications_python_client.errors import HTTPError

from tests.e2e.conftest import Product
from tests.letters.pdfs import a_pdf

ADDRESS = {"address_line_1": "Amala Bird", "address_line_2": "1 Road", "postcode": "SW1A 1AA"}
VALUES = {"name": "Amala", "date": "Monday", **ADDRESS}
POSTAGE = "postage invalid. It must be either first, second or economy."
UNKNOWN_PLACE = "Last line of address must be a real UK postcode or another country"
READY_SECONDS = 60


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def wait_for_pdf(product: Product, letter_id: str, key: str = "normal") -> bytes:
    """The PDF of a letter, once there is one."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            return product.client(key).get_pdf_for_letter(letter_id).read()  # type: ignore[no-any-return]
        except HTTPError as error:
            said: Any = error.message
            assert said == [{"error": "PDFNotReadyError", "message": "PDF not available yet, try again later"}]
        assert time.monotonic() < deadline
        time.sleep(0.1)


def wait_for_price(product: Product, letter_id: str, key: str) -> dict[str, Any]:
    """A letter, once its sheets are counted: that comes a moment after the PDF."""
    deadline = time.monotonic() + READY_SECONDS
    while True:
        shown: dict[str, Any] = product.client(key).get_notification_by_id(letter_id)
        if shown["is_cost_data_ready"]:
            return shown
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("key", ["normal", "test"])
def test_a_letter_of_a_template_is_made_and_can_be_read(product: Product, key: str) -> None:
    client = product.client(key)
    sent = client.send_letter_notification(product.demo["templates"]["letter"], VALUES, reference="a letter")
    text = text_of(wait_for_pdf(product, sent["id"], key))
    assert "Dear Amala" in text
    assert "SW1A 1AA" in text
    shown = wait_for_price(product, sent["id"], key)
    assert shown["status"] in (("received",) if key == "test" else ("accepted", "received"))
    assert (shown["line_1"], shown["postcode"], shown["postage"]) == ("Amala Bird", "SW1A 1AA", "second")
    if key == "normal":
        assert shown["cost_details"] == {"billable_sheets_of_paper": 1, "postage": "second"}
        assert shown["cost_in_pounds"] == 0.73
    listed = client.get_all_notifications(template_type="letter", reference="a letter")["notifications"]
    assert sent["id"] in [entry["id"] for entry in listed]


@pytest.mark.parametrize("key", ["normal", "test"])
def test_a_letter_that_comes_as_a_pdf_is_checked_and_can_be_read(product: Product, key: str) -> None:
    client = product.client(key)
    sent = client.send_precompiled_letter_notification("my pdf", io.BytesIO(a_pdf(3)), postage="first")
    assert sent == {"id": sent["id"], "reference": "my pdf", "postage": "first"}
    text = text_of(wait_for_pdf(product, sent["id"], key))
    assert "says page 3" in text
    assert "NE1 1AA" in text  # the address was written anew
    shown = client.get_notification_by_id(sent["id"])
    assert shown["status"] in (("received",) if key == "test" else ("accepted", "received"))
    assert shown["cost_details"] == {"billable_sheets_of_paper": 2, "postage": "first"}
    assert (shown["cost_in_pounds"], shown["is_cost_data_ready"]) == (1.61, True)


def test_a_file_that_is_no_letter_fails(product: Product) -> None:
    client = product.client()
    sent = client.send_precompiled_letter_notification("no letter", io.BytesIO(b"no PDF"))
    shown = product.wait_for(sent["id"], "validation-failed", seconds=READY_SECONDS)
    assert (shown["cost_in_pounds"], shown["postage"]) == (0.0, "second")
    assert client.get_pdf_for_letter(sent["id"]).read() == b"no PDF"


def test_only_letters_have_a_pdf(product: Product) -> None:
    client = product.client()
    sent = client.send_sms_notification("07900900123", product.demo["templates"]["sms"], VALUES)
    with pytest.raises(HTTPError) as caught:
        client.get_pdf_for_letter(sent["id"])
    assert caught.value.message == [{"error": "BadRequestError", "message": "Notification is not a letter"}]


def refused(call: Callable[[], object]) -> tuple[int, str, str]:
    """Status, name and text of the error that a request is answered with."""
    with pytest.raises(HTTPError) as caught:
        call()
    said: Any = caught.value.message
    return caught.value.status_code, said[0]["error"], said[0]["message"]


def test_what_is_wrong_with_a_letter_is_told(product: Product) -> None:
    client, template = product.client(), product.demo["templates"]["letter"]
    for values, error, message in (
        ({"name": "A", "date": "B"}, "ValidationError", "Address must be at least 3 lines"),
        ({**VALUES, "postcode": "nowhere"}, "ValidationError", UNKNOWN_PLACE),
        (ADDRESS, "BadRequestError", "Missing personalisation: date, name"),
    ):
        send = partial(client.send_letter_notification, template, values)
        assert refused(send) == (400, error, message)
    third = partial(client.send_precompiled_letter_notification, "x", io.BytesIO(a_pdf()), postage="third")
    assert refused(third) == (400, "ValidationError", POSTAGE)
    unknown = partial(client.get_pdf_for_letter, "01900000-0000-7000-8000-000000000000")
    assert refused(unknown)[:2] == (404, "NoResultFound")


def test_the_letter_of_a_template_can_be_looked_at_before(product: Product) -> None:
    shown = product.client().post_template_preview(product.demo["templates"]["letter"], VALUES)
    assert (shown["type"], shown["subject"]) == ("letter", "Your appointment on Monday")
    assert shown["body"].startswith("Dear Amala")
    assert (shown["postage"], shown["html"]) == ("second", None)


@pytest.mark.skipif(
    shutil.which("node") is None or not (Path(os.environ.get("NODE_PATH", "")) / "notifications-node-client").exists(),
    reason="no official Node client in NODE_PATH (npm install notifications-node-client)",
)
@pytest.mark.parametrize("key", ["normal", "test"])
def test_letters_by_the_official_node_client(product: Product, tmp_path: Path, key: str) -> None:
    file = tmp_path / "letter.pdf"
    file.write_bytes(a_pdf(2))
    templates = product.demo["templates"]
    words = [product.demo["api_url"], product.demo["api_keys"][key], templates["letter"], str(file), templates["sms"]]
    script = Path(__file__).parent / "letters.cjs"
    done = subprocess.run(
        ["node", str(script), *words], capture_output=True, text=True, check=False, timeout=2 * READY_SECONDS
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["pdfs"] == ["%PDF-1.7", "%PDF-1.7"]
    assert (said["sent"]["reference"], said["sent"]["content"]["subject"]) == ("by node", "Your appointment on Monday")
    assert said["precompiled"]["postage"] == "first"
    assert said["listed"][0] == said["precompiled"]["id"]
    shown = said["shown"]
    assert (shown["type"], shown["line_1"], shown["line_3"], shown["postage"]) == (
        "letter",
        "Amala Bird",
        "SW1A 1AA",
        "second",
    )
    assert said["preview"]["body"].startswith("Dear Amala")
    assert (said["noAddress"]["status"], said["noPostage"]["status"]) == (400, 400)
    assert said["noPostage"]["errors"][0]["message"] == POSTAGE
    assert said["noLetter"]["errors"] == [{"error": "BadRequestError", "message": "Notification is not a letter"}]
