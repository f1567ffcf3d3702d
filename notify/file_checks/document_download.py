"""Checks a file that a user wants to attach to an email template (contract: admin-app 2.5, public-api 5.6)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from notify.documents.antivirus import Antivirus, ScannerError
from notify.documents.files import FileTooLargeError, InfectedFileError, check_upload
from notify.file_checks.access import DOCUMENT_DOWNLOAD, document_download_secrets, error_answer, guard
from notify.infra.container import Container
from notify.infra.errors import ProblemError
from notify.infra.http import json_answer, read_json_value
from notify.infra.request_gate import allow_large_body

logger = structlog.get_logger(__name__)

MOST_BYTES: Final = 3 * 1024 * 1024


def blueprint(container: Container) -> Blueprint:
    """`/document-download/services/<service id>/antivirus-and-mimetype-check`."""
    routes = Blueprint("document_download", __name__, url_prefix=DOCUMENT_DOWNLOAD)
    routes.before_request(guard(document_download_secrets(container.parts.settings)))

    @routes.errorhandler(ProblemError)
    def problem(error: ProblemError) -> Response:
        # the admin app shows its own text for this error
        return error_answer(413 if isinstance(error, FileTooLargeError) else error.status, error.messages[0])

    @routes.errorhandler(ScannerError)
    def not_scanned(error: ScannerError) -> Response:
        logger.error("file could not be scanned for viruses", error=str(error))
        return error_answer(503, "The file could not be scanned")

    @routes.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        if error.code == 413:
            return problem(FileTooLargeError())
        return error_answer(error.code or 500, error.name)

    @routes.post("/services/<uuid:service_id>/antivirus-and-mimetype-check")
    def check(service_id: UUID) -> Response:
        """Check a file: its size, its type, and whether there is a virus in it."""
        allow_large_body(request.environ, MOST_BYTES)
        request.max_content_length = MOST_BYTES
        file = check_upload(read_json_value(request))
        virus = container.get(Antivirus).scan(file.content)
        if virus is not None:
            logger.warning("virus in a file", service_id=service_id, virus=virus)
            raise InfectedFileError
        return json_answer({"virus_free": True, "mimetype": file.mime_type})

    return routes
