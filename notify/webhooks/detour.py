"""Redirects a service's callbacks to another address temporarily. For development: `notify listen`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.infra.secrets import Encryptor
from notify.vocabulary import CallbackType
from notify.webhooks.actions import create_callback, delete_callback, signing_secret, update_callback
from notify.webhooks.models import CallbackApi


@dataclass(frozen=True, slots=True)
class Detour:
    """A redirected callback. `before` is its original address; None: the service had no such callback."""

    callback_type: CallbackType
    address: str
    before: str | None
    signing_secret: str


def divert(
    session: Session,
    encryptor: Encryptor,
    *,
    service_id: UUID,
    addresses: Mapping[CallbackType, str],
    bearer_token: str,
    updated_by_id: UUID,
    guarded: bool,
) -> list[Detour]:
    """Redirect callbacks to these addresses. An existing callback keeps its token and secret; others are created with
    `bearer_token`. Raises what `create_callback` raises.
    """
    detours = []
    known = select(CallbackApi).where(CallbackApi.service_id == service_id)
    existing = {callback.callback_type: callback.url for callback in session.scalars(known)}
    for kind, address in addresses.items():
        before = existing.get(kind)
        if before is None:
            callback = create_callback(
                session,
                encryptor,
                service_id=service_id,
                callback_type=kind,
                url=address,
                bearer_token=bearer_token,
                updated_by_id=updated_by_id,
                guarded=guarded,
            )
        else:
            callback = update_callback(
                session,
                encryptor,
                service_id=service_id,
                callback_type=kind,
                url=address,
                updated_by_id=updated_by_id,
                guarded=guarded,
            )
        detours.append(Detour(kind, address, before, signing_secret(callback, encryptor)))
    return detours


def put_back(
    session: Session, encryptor: Encryptor, detours: Iterable[Detour], *, service_id: UUID, updated_by_id: UUID
) -> None:
    """Restore the original addresses. A callback that was changed in the meantime is left as it is."""
    known = select(CallbackApi).where(CallbackApi.service_id == service_id)
    existing = {callback.callback_type: callback.url for callback in session.scalars(known)}
    for detour in detours:
        if existing.get(detour.callback_type) != detour.address:
            continue
        if detour.before is None:
            delete_callback(session, service_id=service_id, callback_type=detour.callback_type)
            continue
        update_callback(
            session,
            encryptor,
            service_id=service_id,
            callback_type=detour.callback_type,
            url=detour.before,
            updated_by_id=updated_by_id,
            guarded=False,  # the address was accepted when it was set
        )
