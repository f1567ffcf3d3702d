"""Scheduled work on alerts: publish lost tasks again, complete expired alerts (contract: broadcasts 8.2)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from notify.broadcasts.events import publish_event
from notify.broadcasts.models import BroadcastEvent, BroadcastMessage, BroadcastProviderMessage, SandboxBroadcast
from notify.broadcasts.sender import BroadcastSender
from notify.infra.database import Database
from notify.infra.queue import Queue

OVERDUE: Final = timedelta(seconds=10)
"""An event or provider message that has waited this long has lost its task or its worker."""
MOST_AT_ONCE: Final = 1_000
SANDBOX_DAYS: Final = 7


def sweep(database: Database, queue: Queue, sender: BroadcastSender, now: datetime) -> int:
    """Publish again the tasks of events and provider messages that have waited too long. Returns their number."""
    with database.reading() as session:
        events = session.scalars(
            select(BroadcastEvent.id)
            .where(BroadcastEvent.dispatched_at.is_(None), BroadcastEvent.sent_at < now - OVERDUE)
            .order_by(BroadcastEvent.sent_at)
            .limit(MOST_AT_ONCE)
        ).all()
        messages = session.execute(
            select(BroadcastProviderMessage.broadcast_event_id, BroadcastProviderMessage.provider)
            .where(BroadcastProviderMessage.status == "sending", BroadcastProviderMessage.due_at < now - OVERDUE)
            .order_by(BroadcastProviderMessage.due_at)
            .limit(MOST_AT_ONCE)
        ).all()
    for event_id in events:
        publish_event(queue, event_id)
    for message in messages:
        sender.publish(message.broadcast_event_id, message.provider)
    return len(events) + len(messages)


def complete_expired(session: Session, now: datetime) -> int:
    """Complete expired alerts. Returns their number."""
    done = session.execute(
        update(BroadcastMessage)
        .where(BroadcastMessage.status == "broadcasting", BroadcastMessage.finishes_at <= now)
        .values(status="completed", updated_at=now)
        .returning(BroadcastMessage.id)
    )
    return len(done.all())


def delete_old_sandbox_rows(session: Session, now: datetime) -> None:
    """Delete old calls that the sandbox recorded."""
    session.execute(delete(SandboxBroadcast).where(SandboxBroadcast.created_at < now - timedelta(days=SANDBOX_DAYS)))
