"""Precompiled letters and attachments: checks, and pages as images (contract: letters 6)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from flask import Blueprint, Response, request

from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError, ProblemError
from notify.infra.http import json_answer
from notify.infra.objects import ObjectMissingError
from notify.letters.pages import PageMissingError, UnreadablePdfError
from notify.letters.precompiled.failures import NO_FILE
from notify.letters.precompiled.sanitiser import PdfSanitiser, Sanitised
from notify.letters.preview_cache import PreviewCache
from notify.template_preview.errors import BadRequestError
from notify.template_preview.reading import MOST_PDF_BYTES, page_number, read, read_object

MOST_BASE64_BYTES: Final = MOST_PDF_BYTES * 4 // 3 + 4096
NO_DATA: Final = "no data received in POST"
UNREADABLE: Final = "Could not read PDF"

_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def add_routes(routes: Blueprint, container: Container) -> None:
    """Add the endpoints of precompiled PDFs."""
    _add_checks(routes, container)
    _add_pictures(routes, container)


def _add_checks(routes: Blueprint, container: Container) -> None:
    @routes.post("/precompiled/sanitise")
    def sanitise() -> Response:
        """Check a letter or an attachment. If a check fails the status is 400, and the response has the same fields."""
        pdf = read(MOST_PDF_BYTES)
        if not pdf:
            raise ProblemError(NO_FILE)
        sanitised = container.get(PdfSanitiser).sanitise(
            pdf,
            international=request.args.get("allow_international_letters") == "true",
            attachment=request.args.get("is_an_attachment") == "true",
        )
        return json_answer(_answer(sanitised), 200 if sanitised.message is None else 400)

    @routes.post("/precompiled/overlay.pdf")
    def overlay_pdf() -> Response:
        """All pages with the no-print zones in red."""
        if request.args:
            given = dict(request.args)
            raise ProblemError(f"Did not expect any args but received {given}. Did you mean to call overlay.png?")
        try:
            made = container.get(PdfSanitiser).overlay(_pdf_body())
        except UnreadablePdfError as error:
            raise ProblemError(f"Unable to read the PDF data: {error.reason}") from None
        return Response(made, content_type="application/pdf")

    @routes.post("/precompiled/overlay.png")
    def overlay_png() -> Response:
        """A PDF of one page as an image, with the no-print zones in red."""
        pdf = _pdf_body()
        first_page = _is_first_page()
        try:
            made = container.get(PdfSanitiser).overlay_png(pdf, first_page=first_page)
        except UnreadablePdfError as error:
            raise ProblemError(f"Unable to read the PDF data: {error.reason}") from None
        return _picture(made)


def _add_pictures(routes: Blueprint, container: Container) -> None:
    parts = container.parts

    @routes.post("/precompiled-preview.png")
    def precompiled_preview() -> Response:
        """A page of a PDF that is sent as base64."""
        number, text = page_number(), read(MOST_BASE64_BYTES)
        if not text:
            raise BadRequestError
        try:
            pdf = base64.b64decode(text, validate=True)
            hides = request.args.get("hide_notify") == "true"
            return _picture(container.get(PreviewCache).page(pdf, number, hide_notify=hides))
        except (binascii.Error, ValueError, UnreadablePdfError):
            raise BadRequestError(UNREADABLE) from None
        except PageMissingError:
            raise BadRequestError(f"Letter does not have a page {number}") from None

    @routes.post("/letter_attachment_preview.png")
    def attachment_preview() -> Response:
        """A page of an attachment in the object store."""
        given = read_object("service_id", "letter_attachment_id")
        number = page_number(default=None)
        service_id, attachment_id = given["service_id"], given["letter_attachment_id"]
        if not _ID.fullmatch(service_id) or not _ID.fullmatch(attachment_id):
            raise NotFoundProblemError("There is no such letter attachment")
        try:
            bucket = parts.objects.bucket(parts.settings.s3_bucket_letter_attachments)
            pdf = bucket.get(f"service-{service_id}/{attachment_id}.pdf")
            return _picture(container.get(PreviewCache).page(pdf, number))
        except ObjectMissingError:
            raise NotFoundProblemError("There is no such letter attachment") from None
        except PageMissingError:
            raise BadRequestError(f"Letter attachment does not have a page {number}") from None
        except UnreadablePdfError:
            raise BadRequestError(UNREADABLE) from None


def _answer(sanitised: Sanitised) -> dict[str, object]:
    return {
        "page_count": sanitised.page_count,
        "recipient_address": sanitised.recipient_address,
        "message": sanitised.message,
        "invalid_pages": list(sanitised.invalid_pages) or None,
        "file": None if sanitised.pdf is None else base64.b64encode(sanitised.pdf).decode(),
    }


def _pdf_body() -> bytes:
    pdf = read(MOST_PDF_BYTES)
    if not pdf:
        raise ProblemError(NO_DATA)
    return pdf


def _is_first_page() -> bool:
    """Whether the zones are those of a letter's first page. Raises `ProblemError` if the query does not say."""
    is_attachment = request.args.get("is_an_attachment", "").lower() == "true"
    first = request.args.get("is_first_page")
    if first is not None and not is_attachment:
        return first.lower() == "true"
    if "page_number" not in request.args:
        raise ProblemError(f"page_number or is_first_page must be specified in request params {dict(request.args)}")
    return page_number("page_number") == 1 and not is_attachment


def _picture(content: bytes) -> Response:
    return Response(content, content_type="image/png")
