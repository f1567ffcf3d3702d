"""Events that the networks must be sent. An event is written in the transaction of its cause, so that none is lost;
after the commit, a task is published to dispatch it (contract: broadcasts 5, 8.2).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from notify import queues
from notify.broadcasts.content import broadcast_text
from notify.broadcasts.models import BroadcastEvent, BroadcastMessage, BroadcastSettings
from notify.infra.database import after_commit
from notify.infra.queue import Queue, TaskName
from notify.services.models import Service
from notify.vocabulary import BroadcastEventType

logger = structlog.get_logger(__name__)

SEND_BROADCAST_EVENT: Final = TaskName("send-broadcast-event")

SENDER: Final = "notifications.service.gov.uk"

DEFAULT_CHANNEL: Final = "severe"
"""The channel of a service without broadcast settings, which did not exist in 2020."""
SHORT_CHANNELS: Final = ("test", "operator")
SHORT_TIME: Final = timedelta(hours=4)
USUAL_TIME: Final = timedelta(hours=22, minutes=30)
"""How long an alert without an end lasts: admin apps set the same on approval (8.3)."""


def record_event(
    session: Session, queue: Queue, message: BroadcastMessage, service: Service, kind: BroadcastEventType, now: datetime
) -> BroadcastEvent | None:
    """Write an event of a message, and publish its task after the commit. None if nothing may be sent, because the
    message or the service is in training mode.
    """
    if message.stubbed or service.restricted:
        if message.stubbed != service.restricted:
            logger.error("broadcast not sent: made in another mode than its service is in", message_id=str(message.id))
        return None
    event = BroadcastEvent(
        service_id=service.id,
        broadcast_message_id=message.id,
        sent_at=now,
        message_type=kind,
        transmitted_content={"body": broadcast_text(message.content)},
        transmitted_areas=message.areas,
        transmitted_sender=SENDER,
        transmitted_starts_at=message.starts_at,
        transmitted_finishes_at=message.finishes_at or now + _lasting(session, service.id),
    )
    session.add(event)
    session.flush()
    event_id, message_id, service_id = event.id, str(message.id), str(service.id)

    def committed() -> None:
        publish_event(queue, event_id)
        if kind == "alert":
            # people on duty are alerted by this log line: docs/broadcasts.md
            logger.warning("live broadcast sent", message_id=message_id, service_id=service_id)

    after_commit(session, committed)
    return event


def publish_event(queue: Queue, event_id: UUID) -> bool:
    """Publish the task that dispatches an event. False if the broker is down."""
    return queue.publish(SEND_BROADCAST_EVENT, [str(event_id)], queue=queues.INTERNAL)


def channel_of(session: Session, service_id: UUID) -> str:
    """The channel of a service's alerts."""
    found = session.scalar(select(BroadcastSettings.channel).where(BroadcastSettings.service_id == service_id))
    return found or DEFAULT_CHANNEL


def _lasting(session: Session, service_id: UUID) -> timedelta:
    return SHORT_TIME if channel_of(session, service_id) in SHORT_CHANNELS else USUAL_TIME
