"""Helpers for tests of teams."""

from __future__ import annotations

from sqlalchemy import select

from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.messages.models import Notification
from notify.messages.queries import MessageReader, StoredMessage
from notify.services.models import NOTIFY_SERVICE_ID


def sent_to(parts: Parts, address: str) -> list[StoredMessage]:
    """The emails of Notify's own that an address got, the newest first."""
    container = Container(parts)
    query = (
        select(Notification.id)
        .where(Notification.service_id == NOTIFY_SERVICE_ID, Notification.normalised_to == address.lower())
        .order_by(Notification.created_at.desc())
    )
    with parts.database.session() as session:
        ids = session.scalars(query).all()
    found = [container.get(MessageReader).get(NOTIFY_SERVICE_ID, id_) for id_ in ids]
    return [message for message in found if message is not None]
