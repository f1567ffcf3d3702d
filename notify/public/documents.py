"""The download pages of files sent by email (contract: public-api 5.6).

The first page needs a click, so that programs which follow links in emails do not fetch files. If the file requires it,
the second page asks for the address it was sent to; a signed cookie for this file remembers that it was given. The last
page has the file.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response as AnyResponse

from notify.content.email_addresses import InvalidEmailAddress, normalise
from notify.documents.filenames import attachment_header
from notify.documents.settings import DocumentSettings
from notify.documents.store import (
    DocumentDescription,
    DocumentGoneError,
    DocumentNotFoundError,
    DocumentStore,
    decode_id,
)
from notify.infra.container import Container
from notify.infra.times import LONDON
from notify.services.cache import ServiceCache

CONFIRMED_SECONDS: Final = 1800
LONGEST_ADDRESS: Final = 320
KINDS: Final = {
    ".csv": "CSV file",
    ".doc": "Microsoft Word document",
    ".docx": "Microsoft Word document",
    ".jpeg": "JPEG file",
    ".jpg": "JPEG file",
    ".json": "JSON file",
    ".odt": "Text file",
    ".pdf": "PDF",
    ".png": "PNG file",
    ".rtf": "Text file",
    ".txt": "Text file",
    ".xlsx": "Microsoft Excel spreadsheet",
}
HEADERS: Final = {
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Robots-Tag": "noindex, nofollow",
}


def blueprint(container: Container) -> Blueprint:
    """The routes below `/d/<service>/<document>`; the key of the file is in the query."""
    pages = _Pages(container)
    routes = Blueprint("documents", __name__, template_folder="templates", url_prefix="/d/<service>/<document>")
    routes.get("", endpoint="landing")(pages.landing)
    routes.route("/confirm-email-address", methods=["GET", "POST"], endpoint="confirm")(pages.confirm)
    routes.get("/download", endpoint="page")(pages.download)
    routes.get("/file", endpoint="file")(pages.file)
    routes.after_request(_protect)
    routes.register_error_handler(DocumentNotFoundError, _missing)
    routes.register_error_handler(DocumentGoneError, _gone)
    return routes


class _Pages:
    """The views. `service` and `document` are ids in the form of links."""

    def __init__(self, container: Container) -> None:
        settings = container.parts.settings
        self._store, self._services = container.get(DocumentStore), container.get(ServiceCache)
        self._signatures = URLSafeTimedSerializer(list(settings.secret_key), salt=f"{settings.dangerous_salt} document")
        self._is_https = settings.part(DocumentSettings).documents_base_url.startswith("https")

    def landing(self, service: str, document: str) -> Response:
        """The page that the link in the email leads to."""
        found = self._find(service, document)
        return self._show(
            "document_landing.html", found, next_url=_here("confirm" if found.needs_confirmation else "page")
        )

    def confirm(self, service: str, document: str) -> AnyResponse:
        """The page that asks for the address, and its answer."""
        found = self._find(service, document)
        if self._is_confirmed(found):
            return redirect(_here("page"))
        error, given = None, ""
        if request.method == "POST":
            given = request.form.get("email_address", "")[:LONGEST_ADDRESS]
            error = self._problem(found, given)
            if error is None:
                return self._confirmed(found)
        page = self._show("document_confirm.html", found, error=error, given=given)
        page.status_code = 400 if error else 200
        return page

    def download(self, service: str, document: str) -> AnyResponse:
        """The page with the link to the file."""
        found = self._find(service, document)
        if not self._is_confirmed(found):
            return redirect(_here("confirm"))
        return self._show(
            "document_download.html",
            found,
            filename=found.filename,
            kind=KINDS[found.extension],
            size=_size(found.size),
            file_url=_here("file"),
        )

    def file(self, service: str, document: str) -> AnyResponse:
        """The file."""
        found = self._find(service, document)
        if not self._is_confirmed(found):
            return redirect(_here("confirm"))
        content = self._store.content(found.service_id, found.id, _key())
        response = Response(content, content_type=found.mime_type)
        response.headers["Content-Disposition"] = attachment_header(found.filename)
        return response

    def _find(self, service: str, document: str) -> DocumentDescription:
        return self._store.describe(decode_id(service), decode_id(document), _key())

    def _show(self, template: str, found: DocumentDescription, **values: Any) -> Response:
        service = self._services.get(found.service_id)
        until = found.available_until.astimezone(LONDON)
        page = render_template(
            template,
            service_name=service.name if service else "",
            contact_link=service.contact_link if service else None,
            until=f"{until.day} {until:%B %Y}",
            **values,
        )
        return make_response(page)

    def _is_confirmed(self, found: DocumentDescription) -> bool:
        if not found.needs_confirmation:
            return True
        signed = request.cookies.get(_cookie(found.id), "")
        try:
            return bool(self._signatures.loads(signed, max_age=CONFIRMED_SECONDS) == str(found.id))
        except BadData:
            return False

    def _confirmed(self, found: DocumentDescription) -> AnyResponse:
        """Redirect to the file, with a cookie that remembers for a while that the address was given."""
        answer = redirect(_here("page"), code=303)
        answer.set_cookie(
            _cookie(found.id),
            _text(self._signatures.dumps(str(found.id))),
            max_age=CONFIRMED_SECONDS,
            httponly=True,
            secure=self._is_https,
            samesite="Lax",
            path=request.path.rsplit("/", 1)[0],
        )
        return answer

    def _problem(self, found: DocumentDescription, given: str) -> str | None:
        try:
            address = normalise(given)
        except InvalidEmailAddress:
            return "Enter an email address in the form name@example.com" if given else "Enter your email address"
        if found.is_locked:
            return "Too many wrong addresses were tried. Try again in an hour."
        if self._store.confirm(found.id, address):
            return None
        return "This is not the address that the file was sent to"


def _protect(response: Response) -> Response:
    response.headers.extend(HEADERS)
    return response


def _missing(_error: DocumentNotFoundError) -> tuple[str, int]:
    text = "Check that the whole link was copied from the email. The file may have been deleted."
    return render_template("document_missing.html", heading="There is no file here", text=text), 404


def _gone(_error: DocumentGoneError) -> tuple[str, int]:
    text = "It was kept for a limited time. Ask the service that sent it for another copy."
    return render_template("document_missing.html", heading="The file is no longer available", text=text), 410


def _key() -> str:
    return request.args.get("key", "")


def _here(page: str) -> str:
    return url_for(f"documents.{page}", **(request.view_args or {}), key=_key())


def _cookie(document_id: UUID) -> str:
    return f"document-{document_id}"


def _text(signed: str | bytes) -> str:
    return signed if isinstance(signed, str) else signed.decode()


def _size(size: int) -> str:
    """A size in the contract's form (content 15): one decimal, without trailing zeros."""
    number, unit = (size / 1024, "KB") if size < 52_428.8 else (size / 1024**2, "MB")
    return f"{max(round(number, 1), 0.1):.1f}".removesuffix(".0") + unit
