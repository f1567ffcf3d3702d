"""Queries of callback settings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.webhooks.errors import NoCallbackError
from notify.webhooks.models import CallbackApi

MANY = 1000
"""For more services than that, all callbacks are read: so long a list of ids costs more than it saves."""


class CallbackName(NamedTuple):
    """A service's callback: the id of its settings, and its type."""

    callback_id: UUID
    callback_type: str | None


def callback_names(session: Session, service_ids: Sequence[UUID]) -> Mapping[UUID, list[CallbackName]]:
    """The callbacks of services, by service, ordered by type. Services without callbacks are missing."""
    query = select(CallbackApi.service_id, CallbackApi.id, CallbackApi.callback_type).order_by(
        CallbackApi.callback_type, CallbackApi.id
    )
    if len(service_ids) <= MANY:
        query = query.where(CallbackApi.service_id.in_(service_ids))
    found: dict[UUID, list[CallbackName]] = defaultdict(list)
    for service_id, id_, callback_type in session.execute(query):
        found[service_id].append(CallbackName(id_, callback_type))
    return found


def get_callback(session: Session, service_id: UUID, callback_id: UUID, callback_type: str) -> CallbackApi:
    """The settings of one of a service's callbacks, which must be of this type. Raises `NoCallbackError`."""
    callback = session.get(CallbackApi, callback_id)
    if callback is None or callback.service_id != service_id or callback.callback_type != callback_type:
        raise NoCallbackError(callback_type)
    return callback
