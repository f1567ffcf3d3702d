"""Callbacks of services (contract: internal-services 8). No answer shows the bearer token."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.errors import ValidationProblemError
from notify.internal.fields import HttpsUrl, Moment, Uuid
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data, Query
from notify.webhooks import actions
from notify.webhooks.queries import get_callback as find_callback
from notify.webhooks.settings import CallbackSettings

routes = Routes("callbacks", "/service/<uuid:service_id>/callback-api")

BearerToken = Annotated[str, Field(min_length=actions.SHORTEST_TOKEN)]


class NewCallback(Body):
    """A callback to create."""

    url: HttpsUrl
    bearer_token: BearerToken
    updated_by_id: Uuid
    callback_type: str | MISSING = MISSING


class ChangedCallback(Body):
    """The fields of a callback to change."""

    url: HttpsUrl | MISSING = MISSING
    bearer_token: BearerToken | MISSING = MISSING
    updated_by_id: Uuid
    callback_type: str | MISSING = MISSING


class WhichCallback(Query):
    """The type of a callback."""

    callback_type: str = ""


class CallbackAnswer(Answer):
    """A callback's settings."""

    id: UUID
    service_id: UUID
    url: str
    updated_by_id: UUID
    created_at: Moment
    updated_at: Moment | None


def _type(body: NewCallback | ChangedCallback) -> str:
    """The given type. The contract's schema allows it to be missing, but every callback needs one."""
    given: str | None = body.given().get("callback_type")
    if given is None:
        raise ValidationProblemError("callback_type is a required property")
    return given


@routes.post("", status=201)
def create_callback(
    session: Session, container: Container, service_id: UUID, body: NewCallback
) -> Data[CallbackAnswer]:
    """Create a callback of a service."""
    callback = actions.create_callback(
        session,
        container.parts.encryptor,
        service_id=service_id,
        callback_type=_type(body),
        url=body.url,
        bearer_token=body.bearer_token,
        updated_by_id=body.updated_by_id,
        guarded=container.parts.settings.part(CallbackSettings).callbacks_are_guarded,
    )
    return Data(data=CallbackAnswer.of(callback))


@routes.post("/<uuid:callback_api_id>")
def update_callback(
    session: Session, container: Container, service_id: UUID, callback_api_id: UUID, body: ChangedCallback
) -> Data[CallbackAnswer]:
    """Change the URL or the token of a callback."""
    given = body.given()
    callback = actions.update_callback(
        session,
        container.parts.encryptor,
        service_id=service_id,
        callback_id=callback_api_id,
        callback_type=_type(body),
        url=given.get("url"),
        bearer_token=given.get("bearer_token"),
        updated_by_id=body.updated_by_id,
        guarded=container.parts.settings.part(CallbackSettings).callbacks_are_guarded,
    )
    return Data(data=CallbackAnswer.of(callback))


@routes.get("/<uuid:callback_api_id>")
def get_callback(
    session: Session, service_id: UUID, callback_api_id: UUID, query: WhichCallback
) -> Data[CallbackAnswer]:
    """Get a callback's settings."""
    return Data(data=CallbackAnswer.of(find_callback(session, service_id, callback_api_id, query.callback_type)))


@routes.delete("/<uuid:callback_api_id>")
def delete_callback(session: Session, service_id: UUID, callback_api_id: UUID, query: WhichCallback) -> None:
    """Delete a callback of a service."""
    actions.delete_callback(
        session, service_id=service_id, callback_id=callback_api_id, callback_type=query.callback_type
    )
