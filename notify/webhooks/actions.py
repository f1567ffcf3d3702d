"""Creates, changes and deletes callback settings (contract: internal-services 8). Every function flushes; the caller's
transaction commits.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from yarl import URL

from notify.accounts.models import User
from notify.content.uris import is_uri
from notify.infra.columns import violated_constraint
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_public_id
from notify.infra.public_addresses import is_address, is_public
from notify.infra.secrets import Encryptor
from notify.infra.versions import save_version
from notify.services.models import Service
from notify.vocabulary import CALLBACK_TYPES
from notify.webhooks.errors import DuplicateCallbackError, InvalidCallbackError, NoCallbackError
from notify.webhooks.models import BEARER_TOKEN, SIGNING_SECRET, CallbackApi
from notify.webhooks.signing import derived_secret, secret_bytes

SHORTEST_TOKEN: Final = 10


def create_callback(
    session: Session,
    encryptor: Encryptor,
    *,
    service_id: UUID,
    callback_type: str,
    url: str,
    bearer_token: str,
    updated_by_id: UUID,
    guarded: bool,
    signing_secret: str | None = None,
) -> CallbackApi:
    """Create a callback of one type for a service. `guarded` is `CallbackSettings.callbacks_are_guarded`.

    Raises `NotFoundProblemError` (no such service or user), `InvalidCallbackError`, `DuplicateCallbackError`.
    """
    if session.get(Service, service_id) is None or session.get(User, updated_by_id) is None:
        raise NotFoundProblemError
    if callback_type not in CALLBACK_TYPES:
        raise InvalidCallbackError("callback_type", f"Invalid callback type: {callback_type}")
    _check_url(url, guarded=guarded)
    _check_token(bearer_token)
    id_ = new_public_id()
    callback = CallbackApi(
        id=id_,
        service_id=service_id,
        callback_type=callback_type,
        url=url,
        bearer_token=encryptor.encrypt(bearer_token, BEARER_TOKEN, id_),
        signing_secret=_encrypted_secret(encryptor, signing_secret, id_),
        updated_by_id=updated_by_id,
    )
    try:
        save_version(session, callback)
    except IntegrityError as error:
        if violated_constraint(error) == "uix_service_callback_type":
            raise DuplicateCallbackError from None
        raise
    return callback


def update_callback(
    session: Session,
    encryptor: Encryptor,
    *,
    service_id: UUID,
    callback_type: str,
    updated_by_id: UUID,
    guarded: bool,
    url: str | None = None,
    bearer_token: str | None = None,
    signing_secret: str | None = None,
    callback_id: UUID | None = None,
) -> CallbackApi:
    """Change the settings that are not None. Pending callbacks use them at their next attempt. With `callback_id`, only
    the callback with that id is changed.

    Raises `NoCallbackError`, `NotFoundProblemError` (no such user), `InvalidCallbackError`.
    """
    callback = _locked(session, service_id, callback_type, callback_id)
    if session.get(User, updated_by_id) is None:
        raise NotFoundProblemError
    if url is not None:
        _check_url(url, guarded=guarded)
        callback.url = url
    if bearer_token is not None:
        _check_token(bearer_token)
        callback.bearer_token = encryptor.encrypt(bearer_token, BEARER_TOKEN, callback.id)
    if signing_secret is not None:
        callback.signing_secret = _encrypted_secret(encryptor, signing_secret, callback.id)
    callback.updated_by_id = updated_by_id
    save_version(session, callback)
    return callback


def delete_callback(session: Session, *, service_id: UUID, callback_type: str, callback_id: UUID | None = None) -> None:
    """Stop sending this type of callback; pending ones are deleted. With `callback_id`, only the callback with that id
    is deleted. Raises `NoCallbackError`.
    """
    session.delete(_locked(session, service_id, callback_type, callback_id))
    session.flush()


def signing_secret(callback: CallbackApi, encryptor: Encryptor) -> str:
    """The secret with which the receiver verifies signatures: `whsec_...`."""
    if callback.signing_secret is not None:
        return encryptor.decrypt(callback.signing_secret, SIGNING_SECRET, callback.id)
    return derived_secret(encryptor.decrypt(callback.bearer_token, BEARER_TOKEN, callback.id))


def _locked(session: Session, service_id: UUID, callback_type: str, callback_id: UUID | None) -> CallbackApi:
    wanted = select(CallbackApi).where(CallbackApi.service_id == service_id, CallbackApi.callback_type == callback_type)
    if callback_id is not None:
        wanted = wanted.where(CallbackApi.id == callback_id)
    callback = session.scalar(wanted.with_for_update())
    if callback is None:
        raise NoCallbackError(callback_type)
    return callback


def _check_url(url: str, *, guarded: bool) -> None:
    """Check what can be known about an address before it is called. Each connection checks the rest."""
    schemes = ("https://",) if guarded else ("https://", "http://")
    if not is_uri(url, *schemes) or not _is_callable(url, guarded=guarded):
        raise InvalidCallbackError("url", "url is not a valid https url")


def _is_callable(url: str, *, guarded: bool) -> bool:
    try:
        address = URL(url)
    except ValueError:
        return False
    if not address.host or address.user is not None:  # credentials in the URL would replace the bearer token
        return False
    return not (guarded and is_address(address.host) and not is_public(address.host))


def _check_token(token: str) -> None:
    if len(token) < SHORTEST_TOKEN:
        raise InvalidCallbackError("bearer_token", f"bearer_token has fewer than {SHORTEST_TOKEN} characters")
    if not (token.isascii() and token.isprintable()):
        raise InvalidCallbackError("bearer_token", "bearer_token has characters that a header cannot carry")


def _encrypted_secret(encryptor: Encryptor, secret: str | None, callback_id: UUID) -> bytes | None:
    if secret is None:
        return None
    try:
        secret_bytes(secret)
    except ValueError as error:
        raise InvalidCallbackError("signing_secret", f"signing_secret {error}") from None
    return encryptor.encrypt(secret, SIGNING_SECRET, callback_id)
