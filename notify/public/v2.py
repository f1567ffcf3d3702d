"""The public API, version 2 (contract: public-api 6 to 9). Views are thin: read, ask, show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import psycopg
import sqlalchemy.exc
from flask import Blueprint, Request, Response, g, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.sansio.utils import get_host

from notify.content.placeholders import TooMuchTextError
from notify.inbound import queries as inbound
from notify.infra.container import Container
from notify.infra.errors import NOT_FOUND, NotFoundProblemError, ProblemError, ValidationProblemError
from notify.infra.http import json_answer, read_json, result_error, v2_error, v2_problem
from notify.infra.request_log import request_raised
from notify.infra.times import format_datetime
from notify.infra.validation import parse_uuid, validate
from notify.messages import serialise
from notify.messages.accept import AcceptedMessage, Acceptor, Caller
from notify.messages.errors import MissingPersonalisationError, PdfNotReadyError, too_much_text
from notify.messages.queries import MessageReader, StoredMessage
from notify.messages.statuses import filter_statuses
from notify.public import schemas
from notify.public.auth import Authenticator
from notify.templates import queries as template_queries
from notify.templates.cache import CompiledTemplate, TemplateCache

LISTS = ("status", "template_type")


def blueprint(container: Container) -> Blueprint:
    """The routes below `/v2`."""
    authenticator, encryptor = container.get(Authenticator), container.parts.encryptor
    database, page_size = container.parts.database, container.parts.settings.api_page_size
    v2 = Blueprint("v2", __name__, url_prefix="/v2")
    _handle_errors(v2)

    @v2.before_request
    def authenticate() -> None:
        g.caller = authenticator.authenticate(request.headers.get("Authorization"))

    _add_sending(v2, container)
    _add_notifications(v2, container)
    _add_templates(v2, container)

    @v2.get("/received-text-messages")
    def received_texts() -> Response:
        query = validate(schemas.ReceivedTextsQuery, _query(request))
        service = _caller().service
        with database.session() as session:
            texts = inbound.page(session, service.id, query.older_than, page_size)
        here = f"{_host()}v2/received-text-messages"
        links = {"current": here}
        if texts:
            links["next"] = f"{here}?older_than={texts[-1].id}"
        return json_answer(
            {
                "received_text_messages": [
                    {
                        "id": text.id,
                        "created_at": format_datetime(text.created_at),
                        "service_id": text.service_id,
                        "notify_number": text.notify_number,
                        "user_number": text.user_number,
                        "content": encryptor.decrypt(text.content),
                    }
                    for text in texts
                ],
                "links": links,
            }
        )

    return v2


def _handle_errors(v2: Blueprint) -> None:
    v2.register_error_handler(ProblemError, v2_problem)

    @v2.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        if isinstance(error, NotFound):
            return result_error(404, NOT_FOUND)
        status = error.code or 500
        return v2_error(status, [{"error": type(error).__name__, "message": error.description or error.name}])

    @v2.errorhandler(psycopg.DataError)
    @v2.errorhandler(sqlalchemy.exc.DataError)
    def unsearchable(error: Exception) -> Response:
        """A value that no row can have, such as a NUL character in a reference (3.1)."""
        del error
        return v2_error(404, [{"error": "DataError", "message": "No result found"}])

    @v2.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        request_raised(request.environ, error)
        return v2_error(500, [{"error": type(error).__name__, "message": "Internal server error"}])


def _add_sending(v2: Blueprint, container: Container) -> None:
    acceptor = container.get(Acceptor)

    def answer(caller: Caller, kind: str, accept: Callable[[Caller], AcceptedMessage]) -> Response:
        try:
            message = accept(caller)
        except ProblemError as problem:
            acceptor.refuse(caller, kind, problem)
        except TooMuchTextError as error:
            acceptor.refuse(caller, kind, too_much_text(kind, error.length))
        return json_answer(serialise.accepted(message, _host(), caller.service.id), 201)

    def sms(caller: Caller) -> AcceptedMessage:
        form = validate(schemas.SmsRequest, read_json(request))
        return acceptor.accept_sms(
            caller,
            phone_number=form.phone_number,
            template_id=form.template_id,
            personalisation=form.personalisation,
            reference=form.reference,
            sms_sender_id=form.sms_sender_id,
        )

    def email(caller: Caller) -> AcceptedMessage:
        form = validate(schemas.EmailRequest, read_json(request))
        return acceptor.accept_email(
            caller,
            email_address=form.email_address,
            template_id=form.template_id,
            personalisation=form.personalisation,
            reference=form.reference,
            email_reply_to_id=form.email_reply_to_id,
            one_click_unsubscribe_url=form.one_click_unsubscribe_url,
            sanitise_content_for=form.sanitise_content_for or (),
        )

    def letter(caller: Caller) -> AcceptedMessage:
        body = read_json(request)
        if isinstance(body, dict) and "content" in body:
            raise ProblemError("Letters from a PDF of your own are not available on this server")
        form = validate(schemas.LetterRequest, body)
        return acceptor.accept_letter(
            caller, template_id=form.template_id, personalisation=form.personalisation, reference=form.reference
        )

    @v2.post("/notifications/sms")
    def send_sms() -> Response:
        return answer(_caller(), "sms", sms)

    @v2.post("/notifications/email")
    def send_email() -> Response:
        return answer(_caller(), "email", email)

    @v2.post("/notifications/letter")
    def send_letter() -> Response:
        return answer(_caller(), "letter", letter)

    @v2.post("/notifications/<string:notification_type>")
    def send_other(notification_type: str) -> Response:
        del notification_type
        read_json(request)
        raise NotFound


def _add_notifications(v2: Blueprint, container: Container) -> None:
    reader, serialiser = container.get(MessageReader), container.get(serialise.Serialiser)
    page_size = container.parts.settings.api_page_size

    def find(notification_id: str) -> StoredMessage:
        id_ = _uuid("notification_id", notification_id)
        message = reader.get(_caller().service.id, id_)
        if message is None:
            raise NotFoundProblemError
        return message

    @v2.get("/notifications/<notification_id>")
    def notification(notification_id: str) -> Response:
        return json_answer(serialiser.notification(find(notification_id), _host()))

    @v2.get("/notifications/<notification_id>/pdf")
    def pdf(notification_id: str) -> Response:
        message = find(notification_id)
        if message.notification_type != "letter":
            raise ProblemError("Notification is not a letter")
        if message.status == "virus-scan-failed":
            raise ProblemError("File did not pass the virus scan")
        if message.status == "technical-failure":
            raise ProblemError("PDF not available for letters in status technical-failure")
        raise PdfNotReadyError

    @v2.get("/notifications")
    def notifications() -> Response:
        given = _query(request, LISTS)
        query = validate(schemas.NotificationsQuery, given)
        caller = _caller()
        messages = reader.page(
            caller.service.id,
            key_type=caller.key.key_type,
            statuses=filter_statuses(query.status),
            types=query.template_type,
            client_reference=query.reference,
            include_jobs=query.include_jobs is not None,
            older_than=query.older_than,
            limit=page_size,
        )
        host = _host()
        links = {"current": _link(host, given)}
        if messages:
            links["next"] = _link(host, {**given, "older_than": messages[-1].id})
        return json_answer(
            {
                "notifications": [serialiser.notification(message, host) for message in messages],
                "links": links,
            }
        )


def _link(host: str, query: Mapping[str, Any]) -> str:
    text = urlencode(query, doseq=True)
    return f"{host}v2/notifications" + (f"?{text}" if text else "")


def _add_templates(v2: Blueprint, container: Container) -> None:
    compiled_templates, database = container.get(TemplateCache), container.parts.database

    def find(template_id: str, version: int = 0) -> CompiledTemplate:
        id_ = _uuid("id", template_id)
        service_id = _caller().service.id
        if version:
            found = compiled_templates.version(service_id, id_, version)
            found = None if found is not None and found.row.hidden else found
        else:
            found = compiled_templates.current(service_id, id_)
        if found is None:
            raise NotFoundProblemError
        return found

    @v2.get("/template/<template_id>")
    def template(template_id: str) -> Response:
        return json_answer(serialise.template(find(template_id)))

    @v2.get("/template/<template_id>/version/<int:version>")
    def template_version(template_id: str, version: int) -> Response:
        return json_answer(serialise.template(find(template_id, version)))

    @v2.get("/templates")
    def templates() -> Response:
        query = validate(schemas.TemplatesQuery, _query(request))
        with database.session() as session:
            rows = template_queries.list_templates(session, _caller().service.id, query.type)
        return json_answer({"templates": [serialise.template(CompiledTemplate(row)) for row in rows]})

    @v2.post("/template/<template_id>/preview")
    def preview(template_id: str) -> Response:
        id_ = _uuid("id", template_id)
        body = read_json(request) if request.content_length or request.headers.get("Transfer-Encoding") else {}
        form = validate(schemas.PreviewRequest, body)
        compiled = find(str(id_))
        missing = compiled.text.missing(form.personalisation)
        if missing:
            raise MissingPersonalisationError(missing)
        try:
            return json_answer(serialise.preview(compiled, form.personalisation))
        except TooMuchTextError as error:
            raise too_much_text(compiled.row.type, error.length) from None


def _host() -> str:
    """The address of the request, with a slash at its end."""
    return _checked_host(request.scheme, request.environ.get("HTTP_HOST"), request.server)


@lru_cache(maxsize=256)
def _checked_host(scheme: str, host: str | None, server: tuple[str, int | None] | None) -> str:
    # Werkzeug's own look at it is thorough, and would be half of what reading a message costs
    return f"{scheme}://{get_host(scheme, host, server)}/"


def _caller() -> Caller:
    caller: Caller = g.caller
    return caller


def _uuid(name: str, text: str) -> UUID:
    try:
        return parse_uuid(text)
    except (ValidationError, ValueError):
        raise ValidationProblemError(f"{name} is not a valid UUID") from None


def _query(current: Request, lists: tuple[str, ...] = ()) -> dict[str, Any]:
    """The query: the first value of each name, all of those that may be repeated."""
    return {name: values if name in lists else values[0] for name, values in current.args.lists()}
