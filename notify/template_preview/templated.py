"""Templated letters: the PDF, single pages as images, and the number of pages (contract: letters 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from flask import Blueprint, Response, request

from notify.infra.container import Container
from notify.infra.errors import NotFoundProblemError
from notify.infra.http import json_answer, result_error
from notify.infra.objects import Bucket, InvalidKeyError, ObjectMissingError
from notify.letters.render.errors import AttachmentError, LetterRenderError, LogoError, QrDataError
from notify.letters.render.pictures import PageMissingError
from notify.letters.render.previews import LetterPreviews
from notify.template_preview.errors import BadRequestError
from notify.template_preview.preview_json import letter_of, read_preview
from notify.template_preview.reading import page_number

_log = structlog.get_logger(__name__)


def add_routes(routes: Blueprint, container: Container) -> None:
    """Add the endpoints of templated letters."""
    attachments = container.parts.objects.bucket(container.parts.settings.s3_bucket_letter_attachments)

    @routes.errorhandler(LetterRenderError)
    def not_rendered(error: LetterRenderError) -> Response:
        _log.warning("preview_not_rendered", error=str(error))
        is_of_caller = isinstance(error, LogoError | AttachmentError | QrDataError)
        return result_error(400, f"400 Bad Request: {error}") if is_of_caller else result_error(500, str(error))

    @routes.post("/preview.pdf")
    def preview_pdf() -> Response:
        """The whole letter."""
        if "page" in request.args:
            raise BadRequestError
        data = read_preview()
        letter = letter_of(data, _attachment(data, attachments))
        return Response(container.get(LetterPreviews).pdf(letter).pdf, content_type="application/pdf")

    @routes.post("/preview.png")
    def preview_png() -> Response:
        """One page of the letter."""
        data = read_preview()
        page = page_number()
        letter = letter_of(data, _attachment(data, attachments))
        try:
            return _png(container.get(LetterPreviews).png(letter, page))
        except PageMissingError:
            raise BadRequestError(f"Letter does not have a page {page}") from None

    @routes.post("/get-page-count")
    def get_page_count() -> Response:
        """The number of pages and sheets. The attachment's pages are counted as the body states them."""
        data = read_preview()
        given = data["template"].get("letter_attachment")
        attached = given["page_count"] if given else 0
        counts = container.get(LetterPreviews).page_counts(letter_of(data))
        return json_answer(
            {
                "count": counts.welsh + counts.english + attached,
                "welsh_page_count": counts.welsh,
                "attachment_page_count": attached,
            }
        )


def _attachment(data: Mapping[str, Any], attachments: Bucket) -> bytes | None:
    """The attachment that a body names. Raises `BadRequestError`, `NotFoundProblemError`."""
    template = data["template"]
    given = template.get("letter_attachment")
    if given is None:
        return None
    service_id, attachment_id = template.get("service"), given.get("id")
    if not isinstance(service_id, str) or not isinstance(attachment_id, str):
        raise BadRequestError("An attachment needs the ids of its service and itself")
    try:
        return attachments.get(f"service-{service_id}/{attachment_id}.pdf")
    except (ObjectMissingError, InvalidKeyError):
        raise NotFoundProblemError("There is no such letter attachment") from None


def _png(content: bytes) -> Response:
    return Response(content, content_type="image/png")
