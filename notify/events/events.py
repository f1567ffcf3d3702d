"""Records events, and deletes old ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm import Session

from notify.events.models import Event
from notify.infra.database import Database

KEPT: Final = timedelta(weeks=52)
DELETED_AT_A_TIME: Final = 10_000

_DELETE: Final = """
DELETE FROM events WHERE id IN (
    SELECT id FROM events WHERE created_at < %s ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED)
"""


def record_event(session: Session, event_type: str, data: Any) -> Event:
    """Store an event. `data` is any JSON value."""
    event = Event(event_type=event_type, data=data)
    session.add(event)
    session.flush()
    return event


def delete_old_events(database: Database, now: datetime, *, batch: int = DELETED_AT_A_TIME) -> int:
    """Delete the events that are older than 52 weeks, `batch` a transaction, the oldest first; how many there were. A
    run that is broken off leaves the rest to the next one.
    """
    return database.execute_in_batches(_DELETE, now - KEPT, batch)
