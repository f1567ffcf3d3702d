"""Receipts that providers send over HTTP (contract: public-api 10)."""

from __future__ import annotations

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from notify.infra.container import Container
from notify.infra.http import json_answer, result_error
from notify.messages.receipts import ReceiptProcessor
from notify.providers.base import ReceiptError
from notify.providers.registry import ProviderPool, UnknownProviderError


def blueprint(container: Container) -> Blueprint:
    """`POST /notifications/<sms|email>/<provider>`: the answer comes when the receipt is on disk."""
    providers, receipts = container.get(ProviderPool), container.get(ReceiptProcessor)
    sandbox_allowed = container.parts.settings.is_safe_environment
    routes = Blueprint("provider_receipts", __name__)

    @routes.post("/notifications/<any(sms, email):notification_type>/<string:identifier>")
    def receipt(notification_type: str, identifier: str) -> Response:
        if identifier == "sandbox" and not sandbox_allowed:
            raise NotFound
        try:
            provider = providers.get(identifier, notification_type)
        except UnknownProviderError:
            raise NotFound from None
        body = request.get_data(cache=True, parse_form_data=False)
        try:
            receipts.record(provider.read_receipt(body, request.form))
        except ReceiptError as error:
            return result_error(400, error.messages)
        return json_answer({"result": "success"})

    return routes
