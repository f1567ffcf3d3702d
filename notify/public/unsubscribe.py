"""One-click unsubscribe (contract: public-api 14.1)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from flask import Blueprint, Response

from notify.content.email_addresses import InvalidEmailAddress, normalise
from notify.infra.container import Container
from notify.infra.http import json_answer, result_error
from notify.infra.url_tokens import BadUrlTokenError, UrlTokens
from notify.messages.queries import MessageOrigin, find_origin
from notify.unsubscribes import actions

MAX_AGE_SECONDS: Final = 365 * 86_400


def blueprint(container: Container) -> Blueprint:
    """`POST /unsubscribe/<notification id>/<token>`."""
    routes = Blueprint("unsubscribe", __name__)

    @routes.post("/unsubscribe/<uuid:notification_id>/<string:token>")
    def unsubscribe(notification_id: UUID, token: str) -> Response:
        return _unsubscribe(container, notification_id, token)

    return routes


def _unsubscribe(container: Container, notification_id: UUID, token: str) -> Response:
    parts = container.parts
    try:
        address = container.get(UrlTokens).read(token, MAX_AGE_SECONDS)
    except BadUrlTokenError:
        return _not_valid()
    with parts.database.transaction() as session:
        origin = find_origin(session, notification_id)
        if origin is None or origin.notification_type != "email":
            return _error("This unsubscribe link is invalid or expired.")
        if not fits(origin, address):
            return _not_valid()
        user_id = actions.unsubscribe_user(session, origin.service_id, address)
        if user_id is None:
            actions.record_request(
                session,
                notification_id,
                address,
                service_id=origin.service_id,
                template_id=origin.template_id,
                template_version=origin.template_version,
            )
    changed = actions.cache_keys(origin.service_id) if user_id is None else (f"user-{user_id}",)
    parts.cache.delete(*changed)
    return json_answer({"result": "success", "message": "Unsubscribe successful"})


def fits(origin: MessageOrigin, address: str) -> bool:
    """Whether the address in a token is that of the message's recipient.

    Any address fits a message in the history, which no longer has a recipient: services must still get these requests.
    """
    if origin.normalised_to is None:
        return True
    try:
        return normalise(address) == origin.normalised_to
    except InvalidEmailAddress:
        return False


def _not_valid() -> Response:
    return _error("This is not a valid unsubscribe link.")


def _error(message: str) -> Response:
    return result_error(404, {"unsubscribe request": message})
