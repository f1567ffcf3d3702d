"""Events that the admin app reports (contract: internal-jobs-billing-platform 12)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from notify.events.events import record_event
from notify.internal.fields import AnyJson, Moment
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Data, Fields

routes = Routes("events", "/events")


class NewEvent(Fields):
    """An event. The admin app chooses what is in `data`."""

    event_type: str
    data: AnyJson


class EventAnswer(Answer):
    """A recorded event."""

    id: UUID
    event_type: str
    created_at: Moment
    data: Any


@routes.post("", status=201)
def create_event(session: Session, body: NewEvent) -> Data[EventAnswer]:
    """Record an event."""
    return Data(data=EventAnswer.of(record_event(session, body.event_type, body.data)))
