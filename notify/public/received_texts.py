"""Text messages that providers received for services, over HTTP (contract: public-api 13)."""

from __future__ import annotations

from typing import Final

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest, NotFound

from notify.inbound.actions import TextReceiver
from notify.infra.container import Container
from notify.infra.http import json_answer, result_error
from notify.providers.incoming import IncomingError
from notify.providers.receiving import TextReader
from notify.providers.registry import ReceiverPool, UnknownProviderError

logger = structlog.get_logger(__name__)

MAX_BODY_BYTES: Final = 256 * 1024
"""Most bytes of a request: a text has a few hundred characters."""


def blueprint(container: Container) -> Blueprint:
    """`POST /notifications/sms/receive/<provider>`: answers after the text is committed. Authenticates the sender
    before reading the body.
    """
    receivers, text_receiver = container.get(ReceiverPool), container.get(TextReceiver)
    routes = Blueprint("received_texts", __name__)

    @routes.post("/notifications/sms/receive/<string:identifier>")
    def receive(identifier: str) -> Response:
        reader = _reader(receivers, identifier)
        if not request.headers.get("Authorization"):
            return result_error(
                401, "Unauthorized: authentication token must be provided", {"WWW-Authenticate": "Bearer"}
            )
        given = request.authorization
        if given is None or not reader.may_hand_in(given.username or "", given.password or ""):
            return result_error(403, "Forbidden: invalid authentication token provided")
        request.max_content_length = MAX_BODY_BYTES
        body = request.get_data(cache=True, parse_form_data=False)
        try:
            text = reader.read_incoming(body, request.form)
        except IncomingError:
            raise BadRequest from None
        id_ = text_receiver.receive(text)
        if id_ is not None:
            logger.info("text received", provider=identifier, id=str(id_))
            return json_answer({"status": "ok"})
        logger.warning("text for a number that no service receives texts on", provider=identifier)
        if reader.answer_where_unknown is not None:
            return Response(reader.answer_where_unknown, content_type="text/html; charset=utf-8")
        return json_answer({"status": "ok"})

    return routes


def _reader(receivers: ReceiverPool, identifier: str) -> TextReader:
    """The reader of a provider. Raises `NotFound`."""
    try:
        receiver = receivers.get(identifier, "sms")
    except UnknownProviderError:
        raise NotFound from None
    if not isinstance(receiver, TextReader):
        raise NotFound
    return receiver
