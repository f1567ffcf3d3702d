"""The pages behind the link of a file that was sent by email (contract: public-api 5.6).

The first page asks for a click, so that programs which follow links in emails do not fetch files. Where the file asks
for it, the second page asks for the address it was sent to; having given it is remembered by a signed cookie for this
file alone. The last page has the file.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response as AnyResponse

from notify.content.email_addresses import InvalidEmailAddress, normalise
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
    store, services = container.get(DocumentStore), container.get(ServiceCache)
    settings = container.parts.settings
    pages = Blueprint("documents", __name__, template_folder="templates", url_prefix="/d/<service>/<document>")
    signatures = URLSafeTimedSerializer(list(settings.secret_key), salt=f"{settings.dangerous_salt} document")

    def find(service: str, document: str) -> DocumentDescription:
        return store.describe(decode_id(service), decode_id(document), request.args.get("key", ""))

    def show(template: str, found: DocumentDescription, **values: Any) -> Response:
        service = services.get(found.service_id)
        until = found.available_until.astimezone(LONDON)
        page = render_template(
            template,
            service_name=service.name if service else "",
            contact_link=service.contact_link if service else None,
            until=f"{until.day} {until:%B %Y}",
            **values,
        )
        return make_response(page)

    def here(page: str) -> str:
        return url_for(f"documents.{page}", **(request.view_args or {}), key=request.args.get("key", ""))

    def is_confirmed(found: DocumentDescription) -> bool:
        if not found.needs_confirmation:
            return True
        try:
            return bool(
                signatures.loads(request.cookies.get(_cookie(found.id), ""), max_age=CONFIRMED_SECONDS) == str(found.id)
            )
        except BadData:
            return False

    @pages.after_request
    def protect(response: Response) -> Response:
        response.headers.extend(HEADERS)
        return response

    @pages.errorhandler(DocumentNotFoundError)
    def missing(_error: DocumentNotFoundError) -> tuple[str, int]:
        text = "Check that the whole link was copied from the email. The file may have been deleted."
        return render_template("document_missing.html", heading="There is no file here", text=text), 404

    @pages.errorhandler(DocumentGoneError)
    def gone(_error: DocumentGoneError) -> tuple[str, int]:
        text = "It was kept for a limited time. Ask the service that sent it for another copy."
        return render_template("document_missing.html", heading="The file is no longer available", text=text), 410

    @pages.get("")
    def landing(service: str, document: str) -> Response:
        found = find(service, document)
        return show("document_landing.html", found, next_url=here("confirm" if found.needs_confirmation else "page"))

    @pages.route("/confirm-email-address", methods=["GET", "POST"])
    def confirm(service: str, document: str) -> AnyResponse:
        found = find(service, document)
        if is_confirmed(found):
            return redirect(here("page"))
        error, given = None, ""
        if request.method == "POST":
            given = request.form.get("email_address", "")[:LONGEST_ADDRESS]
            error = _problem(store, found, given)
            if error is None:
                answer = redirect(here("page"), code=303)
                answer.set_cookie(
                    _cookie(found.id),
                    _text(signatures.dumps(str(found.id))),
                    max_age=CONFIRMED_SECONDS,
                    httponly=True,
                    secure=settings.documents_base_url.startswith("https"),
                    samesite="Lax",
                    path=request.path.rsplit("/", 1)[0],
                )
                return answer
        page = show("document_confirm.html", found, error=error, given=given)
        page.status_code = 400 if error else 200
        return page

    @pages.get("/download")
    def page(service: str, document: str) -> AnyResponse:
        found = find(service, document)
        if not is_confirmed(found):
            return redirect(here("confirm"))
        return show(
            "document_download.html",
            found,
            filename=found.filename,
            kind=KINDS[found.extension],
            size=_size(found.size),
            file_url=here("file"),
        )

    @pages.get("/file")
    def file(service: str, document: str) -> AnyResponse:
        found = find(service, document)
        if not is_confirmed(found):
            return redirect(here("confirm"))
        content = store.content(found.service_id, found.id, request.args.get("key", ""))
        response = Response(content, content_type=found.mime_type)
        response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(found.filename, safe='')}"
        return response

    return pages


def _problem(store: DocumentStore, found: DocumentDescription, given: str) -> str | None:
    try:
        address = normalise(given)
    except InvalidEmailAddress:
        return "Enter an email address in the form name@example.com" if given else "Enter your email address"
    if not found.attempts_left:
        return "Too many wrong addresses were tried. Ask the service for another copy of the file."
    if store.confirm(found.id, address):
        return None
    return "This is not the address that the file was sent to"


def _cookie(document_id: UUID) -> str:
    return f"document-{document_id}"


def _text(signed: str | bytes) -> str:
    return signed if isinstance(signed, str) else signed.decode()


def _size(size: int) -> str:
    """As the contract has it (content 15): one decimal, without trailing zeros."""
    number, unit = (size / 1024, "KB") if size < 52_428.8 else (size / 1024**2, "MB")
    return f"{max(round(number, 1), 0.1):.1f}".removesuffix(".0") + unit
