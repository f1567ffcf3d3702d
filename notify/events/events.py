"""Records events, and deletes old ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from notify.events.models import Event

KEPT: Final = timedelta(weeks=52)


def record_event(session: Session, event_type: str, data: Any) -> Event:
    """Store an event. `data` is any JSON value."""
    event = Event(event_type=event_type, data=data)
    session.add(event)
    session.flush()
    return event


def delete_old_events(session: Session, now: datetime) -> int:
    """Delete events older than 52 weeks; returns their number."""
    gone = session.execute(delete(Event).where(Event.created_at < now - KEPT).returning(Event.id))
    return len(gone.all())
