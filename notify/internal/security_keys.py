"""Security keys of users (contract: internal-users 2)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from notify.infra.times import utc_now
from notify.internal.fields import Moment, NonEmpty
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data
from notify.sign_in import security_keys

routes = Routes("security_keys", "/user/<uuid:user_id>/webauthn")


class NewKey(Body, extra="forbid"):
    """A key that the admin app registered."""

    name: NonEmpty
    credential_data: NonEmpty
    registration_response: NonEmpty


class RenamedKey(Body, extra="forbid"):
    """A new name for a key."""

    name: NonEmpty


class KeyAnswer(Answer):
    """A key. `credential_data` is what the admin app needs to verify it."""

    id: UUID
    user_id: UUID
    name: str
    credential_data: str
    created_at: Moment
    updated_at: Moment | None
    logged_in_at: Moment | None


@routes.get("")
def list_security_keys(session: Session, user_id: UUID) -> Data[list[KeyAnswer]]:
    """List a user's security keys."""
    return Data(data=KeyAnswer.of_each(security_keys.list_keys(session, user_id)))


@routes.post("", status=201)
def add_security_key(session: Session, user_id: UUID, body: NewKey) -> Data[KeyAnswer]:
    """Add a security key."""
    key = security_keys.add_key(
        session,
        user_id,
        name=body.name,
        credential_data=body.credential_data,
        registration_response=body.registration_response,
    )
    return Data(data=KeyAnswer.of(key))


@routes.post("/<uuid:webauthn_credential_id>")
def rename_security_key(
    session: Session, user_id: UUID, webauthn_credential_id: UUID, body: RenamedKey
) -> Data[KeyAnswer]:
    """Rename a security key."""
    key = security_keys.rename_key(session, user_id, webauthn_credential_id, body.name, utc_now())
    return Data(data=KeyAnswer.of(key))


@routes.delete("/<uuid:webauthn_credential_id>")
def delete_security_key(session: Session, user_id: UUID, webauthn_credential_id: UUID) -> None:
    """Delete a security key."""
    security_keys.delete_key(session, user_id, webauthn_credential_id)
