"""Callbacks of services under the paths of 2020 (contract: internal-services 18): one path for each of two types. The
callbacks are the same as under today's paths.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.errors import FieldProblemError, NotFoundProblemError
from notify.internal.callbacks import BearerToken, CallbackAnswer
from notify.internal.fields import HttpsUrl, Uuid
from notify.internal.routes import Routes
from notify.internal.schemas import Body, Data
from notify.webhooks import actions
from notify.webhooks.errors import DuplicateCallbackError, NoCallbackError
from notify.webhooks.queries import get_callback as find_callback
from notify.webhooks.settings import CallbackSettings


class NewLegacyCallback(Body):
    """A callback to create."""

    url: HttpsUrl
    bearer_token: BearerToken
    updated_by_id: Uuid


class ChangedLegacyCallback(Body):
    """The fields of a callback to change, if any."""

    url: HttpsUrl | MISSING = MISSING
    bearer_token: BearerToken | MISSING = MISSING
    updated_by_id: Uuid


@contextmanager
def _in_words_of_2020(name: str) -> Iterator[None]:
    try:
        yield
    except NoCallbackError:
        raise NotFoundProblemError(f"{name} not found") from None
    except DuplicateCallbackError as error:
        raise FieldProblemError("name", error.messages[0]) from None


def _is_guarded(container: Container) -> bool:
    return container.parts.settings.part(CallbackSettings).callbacks_are_guarded


def _routes(path: str, callback_type: str, name: str) -> Routes:
    """The routes of one type of callback. `name` is its name in error texts."""
    routes = Routes(f"legacy_{callback_type}_callbacks", f"/service/<uuid:service_id>/{path}", legacy=True)

    @routes.post("", status=201)
    def create_callback(
        session: Session, container: Container, service_id: UUID, body: NewLegacyCallback
    ) -> Data[CallbackAnswer]:
        """Create a callback of a service."""
        with _in_words_of_2020(name):
            callback = actions.create_callback(
                session,
                container.parts.encryptor,
                service_id=service_id,
                callback_type=callback_type,
                guarded=_is_guarded(container),
                **body.given(),
            )
        return Data(data=CallbackAnswer.of(callback))

    @routes.post("/<uuid:callback_api_id>")
    def update_callback(
        session: Session, container: Container, service_id: UUID, callback_api_id: UUID, body: ChangedLegacyCallback
    ) -> Data[CallbackAnswer]:
        """Change the URL or the token of a callback."""
        with _in_words_of_2020(name):
            callback = actions.update_callback(
                session,
                container.parts.encryptor,
                service_id=service_id,
                callback_id=callback_api_id,
                callback_type=callback_type,
                guarded=_is_guarded(container),
                **body.given(),
            )
        return Data(data=CallbackAnswer.of(callback))

    @routes.get("/<uuid:callback_api_id>")
    def get_callback(session: Session, service_id: UUID, callback_api_id: UUID) -> Data[CallbackAnswer]:
        """Get a callback's settings."""
        with _in_words_of_2020(name):
            return Data(data=CallbackAnswer.of(find_callback(session, service_id, callback_api_id, callback_type)))

    @routes.delete("/<uuid:callback_api_id>")
    def delete_callback(session: Session, service_id: UUID, callback_api_id: UUID) -> None:
        """Delete a callback of a service."""
        with _in_words_of_2020(name):
            actions.delete_callback(
                session, service_id=service_id, callback_id=callback_api_id, callback_type=callback_type
            )

    return routes


receipt_routes = _routes("delivery-receipt-api", "delivery_status", "Service delivery receipt callback API")
received_text_routes = _routes("inbound-api", "inbound_sms", "Service inbound API")
