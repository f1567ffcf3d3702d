"""The virus scanner over HTTP (contract: letters 9)."""

from __future__ import annotations

from typing import Final

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from notify.documents.antivirus import Antivirus, ScannerError
from notify.file_checks.access import ANTIVIRUS, antivirus_secrets, error_answer, guard
from notify.infra.container import Container
from notify.infra.http import json_answer
from notify.infra.request_gate import allow_large_body

logger = structlog.get_logger(__name__)

MOST_BYTES: Final = 10 * 1024 * 1024
"""Most bytes of a request. The admin app's forms take 2 MB."""
STATUS_PATH: Final = f"{ANTIVIRUS}/_status"


def blueprint(container: Container) -> Blueprint:
    """`/antivirus/scan` and `/antivirus/_status`."""
    settings = container.parts.settings
    routes = Blueprint("antivirus", __name__, url_prefix=ANTIVIRUS)
    routes.before_request(guard(antivirus_secrets(settings), open_paths=[STATUS_PATH]))

    @routes.errorhandler(ScannerError)
    def not_scanned(error: ScannerError) -> Response:
        logger.error("file could not be scanned for viruses", error=str(error))
        return error_answer(503, "The file could not be scanned")

    @routes.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        return error_answer(error.code or 500, error.name)

    @routes.post("/scan")
    def scan() -> Response:
        """Scan the file `document` of a form. `ok` is false if it has a virus."""
        allow_large_body(request.environ, MOST_BYTES)
        request.max_content_length = MOST_BYTES
        document = request.files.get("document")
        if document is None:
            return error_answer(400, "No document upload")
        virus = container.get(Antivirus).scan(document.read())
        if virus is not None:
            logger.warning("virus in a file", virus=virus)
        return json_answer({"ok": virus is None})

    @routes.get("/_status")
    def status() -> Response:
        """Whether the scanner works. Needs no secret."""
        try:
            container.get(Antivirus).check()
        except ScannerError as error:
            logger.error("virus scanner does not work", error=str(error))
            return Response(status=500)
        return Response("ok", content_type="text/html; charset=utf-8")

    return routes
