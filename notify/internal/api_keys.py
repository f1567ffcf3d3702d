"""API keys of a service (contract: internal-services 4)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.errors import MalformedRequestError
from notify.internal.fields import Moment, RowId, Uuid, row_id
from notify.internal.reading import Unread
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data, Fields
from notify.services import api_keys
from notify.services.models import ApiKey
from notify.services.service import get_service

routes = Routes("api_keys", "/service/<uuid:service_id>")


class NewApiKey(Fields):
    """A key to create."""

    name: Annotated[str, Field(max_length=255)]
    key_type: str
    created_by: RowId


class Revocation(Body, extra="forbid"):
    """Who revokes a key."""

    created_by: Uuid | MISSING = MISSING


class ApiKeyAnswer(Answer):
    """A key, without its secret. One with an expiry date is revoked."""

    id: UUID
    name: str
    key_type: str
    created_by: UUID
    created_at: Moment
    updated_at: Moment | None
    expiry_date: Moment | None
    version: int


class ApiKeysAnswer(Answer):
    """Keys of a service."""

    apiKeys: list[ApiKeyAnswer]  # noqa: N815 - the contract's name


def _answer(*keys: ApiKey) -> ApiKeysAnswer:
    return ApiKeysAnswer(
        apiKeys=[
            ApiKeyAnswer(
                id=key.id,
                name=key.name,
                key_type=key.key_type,
                created_by=key.created_by_id,
                created_at=key.created_at,
                updated_at=key.updated_at,
                expiry_date=key.expiry_date,
                version=key.version,
            )
            for key in keys
        ]
    )


@routes.post("/api-key", status=201)
def create_api_key(session: Session, container: Container, service_id: UUID, body: Unread[NewApiKey]) -> Data[str]:
    """Create an API key and return its secret, which is not shown again."""
    get_service(session, service_id)
    wanted = body.read()
    made = api_keys.create_api_key(
        session,
        container.parts.encryptor,
        service_id=service_id,
        name=wanted.name,
        key_type=wanted.key_type,
        created_by_id=row_id(wanted.created_by),
    )
    return Data(data=made.secret)


@routes.post("/api-key/revoke/<uuid:api_key_id>", status=202)
def revoke_api_key(session: Session, service_id: UUID, api_key_id: UUID, body: Unread[Revocation]) -> None:
    """Revoke an API key."""
    try:
        revoked_by_id = body.read().given().get("created_by")
    except MalformedRequestError:  # the body may be left out
        revoked_by_id = None
    api_keys.revoke_api_key(session, service_id, api_key_id, revoked_by_id=revoked_by_id)


@routes.get("/api-keys")
def list_api_keys(session: Session, service_id: UUID) -> ApiKeysAnswer:
    """List a service's API keys, with those revoked in the last seven days."""
    get_service(session, service_id)
    return _answer(*api_keys.list_api_keys(session, service_id))


@routes.get("/api-keys/<uuid:key_id>")
def get_api_key(session: Session, service_id: UUID, key_id: UUID) -> ApiKeysAnswer:
    """Get an API key that is not revoked."""
    return _answer(api_keys.get_api_key(session, service_id, key_id))
