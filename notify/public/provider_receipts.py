"""Receipts that providers send over HTTP (contract: public-api 10)."""

from __future__ import annotations

from typing import Final

import structlog
from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from notify.infra.container import Container
from notify.infra.http import json_answer, result_error
from notify.messages.receipts import ReceiptProcessor
from notify.providers.base import ReceiptError
from notify.providers.receiving import ReceiptReader, is_among
from notify.providers.registration import BasicAuth, Registration
from notify.providers.registry import ReceiverPool, UnknownProviderError, find
from notify.providers.settings import TextProviderSettings
from notify.settings import Settings

logger = structlog.get_logger(__name__)

MAX_BODY_BYTES: Final = 64 * 1024
"""Most bytes of a request: a receipt has a few hundred."""


def blueprint(container: Container) -> Blueprint:
    """`POST /notifications/<sms|email>/<provider>`: answers after the receipt is committed. Authenticates the sender
    before reading the body.
    """
    settings, receivers, receipts = (
        container.parts.settings,
        container.get(ReceiverPool),
        container.get(ReceiptProcessor),
    )
    routes = Blueprint("provider_receipts", __name__)

    @routes.post("/notifications/<any(sms, email):notification_type>/<string:identifier>")
    def receipt(notification_type: str, identifier: str) -> Response:
        try:
            provider = find(identifier, notification_type)
            receiver = receivers.get(identifier, notification_type)
        except UnknownProviderError:
            raise NotFound from None
        if not isinstance(receiver, ReceiptReader) or not _is_expected(provider, settings):
            raise NotFound
        refused = _refusal(provider, settings)
        if refused is not None:
            return refused
        request.max_content_length = MAX_BODY_BYTES
        body = request.get_data(cache=True, parse_form_data=False)
        try:
            receipts.record(receiver.read_receipt(body, request.form))
        except ReceiptError as error:
            return result_error(400, error.messages)
        return json_answer({"result": "success"})

    return routes


def _is_expected(provider: Registration, settings: Settings) -> bool:
    """Whether this installation uses the provider, or did: after switching it off, keep its credentials until its last
    receipts have arrived.
    """
    return (
        settings.is_safe_environment
        or provider.is_configured(settings)
        or provider.receipt_credentials(settings) is not None
    )


def _refusal(provider: Registration, settings: Settings) -> Response | None:
    """The answer to a request that is not authenticated as the provider's; None for one that is."""
    if settings.part(TextProviderSettings).receipts_checked_in_front:
        return None
    expected = provider.receipt_credentials(settings)
    if expected is None:
        if settings.is_safe_environment:
            return None
        logger.error(
            "receipt refused: set the provider's receipt credentials, or RECEIPTS_CHECKED_IN_FRONT",
            provider=provider.identifier,
        )
        return result_error(403, "Forbidden: invalid authentication token provided")
    if "Authorization" not in request.headers:
        challenge = {"WWW-Authenticate": 'Basic realm="receipts"'}
        return result_error(401, "Unauthorized: authentication token must be provided", challenge)
    if not _has_credentials(expected):
        logger.warning("receipt refused: wrong credentials", provider=provider.identifier)
        return result_error(403, "Forbidden: invalid authentication token provided")
    return None


def _has_credentials(expected: BasicAuth) -> bool:
    given = request.authorization
    user, password = (given.username, given.password) if given is not None else (None, None)
    is_user, is_password = is_among(user or "", expected[:1]), is_among(password or "", expected[1:])
    return is_user and is_password
