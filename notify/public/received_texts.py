"""Text messages that providers received for services, over HTTP (contract: public-api 13)."""

from __future__ import annotations

from typing import Final

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest

from notify.inbound.actions import TextReceiver
from notify.infra.container import Container
from notify.infra.http import json_answer, result_error
from notify.providers.incoming import IncomingError
from notify.providers.registry import ProviderPool

logger = structlog.get_logger(__name__)

MAX_BODY_BYTES: Final = 256 * 1024
"""A text is a few hundred characters."""


def blueprint(container: Container) -> Blueprint:
    """`POST /notifications/sms/receive/<mmg|firetext>`: the answer comes when the text is on disk. Who asks is checked
    before the body is read.
    """
    providers, text_receiver = container.get(ProviderPool), container.get(TextReceiver)
    routes = Blueprint("received_texts", __name__)

    @routes.post("/notifications/sms/receive/<any(mmg, firetext):identifier>")
    def receive(identifier: str) -> Response:
        provider = providers.get(identifier, "sms")
        if "Authorization" not in request.headers:
            return result_error(
                401, "Unauthorized: authentication token must be provided", {"WWW-Authenticate": "Bearer"}
            )
        given = request.authorization
        if given is None or not provider.may_hand_in(given.username or "", given.password or ""):
            return result_error(403, "Forbidden: invalid authentication token provided")
        request.max_content_length = MAX_BODY_BYTES
        body = request.get_data(cache=True, parse_form_data=False)
        try:
            text = provider.read_incoming(body, request.form)
        except IncomingError:
            raise BadRequest from None
        id_ = text_receiver.receive(text)
        if id_ is not None:
            logger.info("text received", provider=identifier, id=str(id_))
        else:
            logger.warning("text for a number that no service receives texts on", provider=identifier)
            if identifier == "mmg":
                return Response("RECEIVED", content_type="text/html; charset=utf-8")
        return json_answer({"status": "ok"})

    return routes
