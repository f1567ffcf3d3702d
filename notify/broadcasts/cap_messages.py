"""Creates and cancels alerts that services send as CAP through the public API (contract: broadcasts 8.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple, Self
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.broadcasts.areas import Polygon
from notify.broadcasts.content import normalised, too_long
from notify.broadcasts.errors import AmbiguousReferencesError, DescriptionTooLongError
from notify.broadcasts.messages import Broadcasts
from notify.broadcasts.models import BroadcastMessage
from notify.broadcasts.polygons import simplify
from notify.infra.cache import Cache
from notify.infra.container import Container
from notify.infra.database import after_commit
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_public_id
from notify.infra.times import utc_now
from notify.services.models import Service

CANCELLABLE: Final = ("pending-approval", "broadcasting")


class NamedArea(NamedTuple):
    """An area of a CAP message."""

    name: str
    polygons: Sequence[Polygon]


class CapMessages:
    """Creates and cancels messages for API keys."""

    def __init__(self, broadcasts: Broadcasts, cache: Cache) -> None:
        self._broadcasts = broadcasts
        self._cache = cache

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.get(Broadcasts), container.parts.cache)

    def create(
        self,
        session: Session,
        service_id: UUID,
        key_id: UUID,
        *,
        reference: str,
        cap_event: str | None,
        content: str,
        areas: Sequence[NamedArea],
    ) -> BroadcastMessage:
        """Create a message that waits for approval. Raises `NotFoundProblemError`, `DescriptionTooLongError`."""
        service = session.get(Service, service_id)
        if service is None:
            raise NotFoundProblemError
        text = normalised(content)
        if limit := too_long(text):
            raise DescriptionTooLongError(limit)
        message = BroadcastMessage(
            id=new_public_id(),
            service_id=service_id,
            content=text,
            reference=reference,
            cap_event=cap_event,
            areas={
                "names": [area.name for area in areas],
                "simple_polygons": simplify([polygon for area in areas for polygon in area.polygons]),
            },
            status="pending-approval",
            stubbed=service.restricted,
            created_by_api_key_id=key_id,
        )
        session.add(message)
        session.flush()
        return message

    def cancel(
        self, session: Session, service_id: UUID, key_id: UUID, references: str, *, now: datetime | None = None
    ) -> BroadcastMessage:
        """End the one live message that has one of these references (separated by commas): reject it if it waits for
        approval, else cancel it. Raises `NotFoundProblemError`, `AmbiguousReferencesError`.
        """
        wanted = select(BroadcastMessage).where(
            BroadcastMessage.service_id == service_id,
            BroadcastMessage.reference.in_([text for text in references.split(",") if text]),
            BroadcastMessage.status.in_(CANCELLABLE),
        )
        found = session.scalars(wanted.order_by(BroadcastMessage.created_at).limit(2).with_for_update()).all()
        if not found:
            raise NotFoundProblemError
        if len(found) > 1:
            raise AmbiguousReferencesError
        message, moment = found[0], now or utc_now()
        service = session.get_one(Service, service_id)
        if message.status == "broadcasting":
            message.cancelled_at, message.cancelled_by_api_key_id = moment, key_id
            self._broadcasts.move(session, message, service, "cancelled", moment)
        else:
            self._broadcasts.move(session, message, service, "rejected", moment)
        key = f"service-{service_id}-broadcast-message-{message.id}"
        after_commit(session, lambda: self._cache.delete(key))
        return message
