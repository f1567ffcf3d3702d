"""Dispatches events: a message for each network, sent to its proxy (contract: broadcasts 5, 8.2).

Rows are the truth, tasks are hints. An event is pending until each network has its row; a row is `sending` until the
network has accepted it. Only the worker that holds a row's lock sends it. The row's id is the network's identifier, so
a network recognises a message that it gets twice because a worker died.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Any, Final, Self
from uuid import UUID

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from notify import queues
from notify.broadcasts import payloads
from notify.broadcasts.areas import polygons_of
from notify.broadcasts.events import channel_of
from notify.broadcasts.models import (
    BroadcastEvent,
    BroadcastMessage,
    BroadcastProviderMessage,
    BroadcastProviderMessageNumber,
    BroadcastSettings,
)
from notify.broadcasts.payloads import NUMBERED, Addressed
from notify.broadcasts.proxies import Networks, ProxyError
from notify.broadcasts.public_site import PublicSite
from notify.infra.container import Container
from notify.infra.database import Database, after_commit
from notify.infra.ids import new_public_id
from notify.infra.queue import Queue, TaskName
from notify.infra.times import utc_now
from notify.services.models import Service

logger = structlog.get_logger(__name__)

SEND_BROADCAST_PROVIDER_MESSAGE: Final = TaskName("send-broadcast-provider-message")

MOST_AT_ONCE: Final = 8
"""Most messages that a process sends to networks at the same time: each holds a database connection, and networks may
hang.
"""
BUSY_SECONDS: Final = 2.0
LONGEST_WAIT: Final = 240
WAIT_FOR_EARLIER: Final = 5
"""Seconds until a cancellation checks again whether the network has accepted the alert."""


class BroadcastSender:
    """Sends events to networks."""

    def __init__(
        self,
        database: Database,
        queue: Queue,
        networks: Networks,
        site: PublicSite,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._queue = queue
        self._networks = networks
        self._site = site
        self._now = now
        self._slots = BoundedSemaphore(MOST_AT_ONCE)

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        return cls(parts.database, parts.queue, container.get(Networks), container.get(PublicSite))

    def dispatch(self, event_id: UUID) -> None:
        """Create an event's message for each network, and publish their tasks; first those of earlier events of the
        same alert, because a cancellation must not overtake its alert. Does nothing the second time.
        """
        with self._database.transaction() as session:
            event = session.get(BroadcastEvent, event_id)
            if event is None:
                return
            # one event at a time for each alert
            session.get(BroadcastMessage, event.broadcast_message_id, with_for_update=True)
            waiting = select(BroadcastEvent).where(
                BroadcastEvent.broadcast_message_id == event.broadcast_message_id,
                BroadcastEvent.sent_at <= event.sent_at,
                BroadcastEvent.dispatched_at.is_(None),
            )
            events = session.scalars(waiting.order_by(BroadcastEvent.sent_at)).all()
            providers = self._available(session, event.service_id)
            for each in events:
                each.dispatched_at = self._now()
                if not providers:
                    logger.error("broadcast not sent: no network is configured", event_id=str(each.id))
                for provider in providers:
                    _add_provider_message(session, each.id, provider, self._now())
            if events:
                pairs = [(each.id, provider) for each in events for provider in providers]
                after_commit(session, lambda: self._publish_all(pairs))

    def _publish_all(self, pairs: Sequence[tuple[UUID, str]]) -> None:
        self._site.publish()
        for event_id, provider in pairs:
            self.publish(event_id, provider)

    def publish(self, event_id: UUID, provider: str, *, countdown: float | None = None) -> bool:
        """Publish the task that sends a network its message. `countdown` is in seconds. False if the broker is down."""
        return self._queue.publish(
            SEND_BROADCAST_PROVIDER_MESSAGE,
            [str(event_id), provider],
            queue=queues.BROADCASTS,
            countdown=countdown,
        )

    def send(self, event_id: UUID, provider: str) -> None:
        """Send a network its message of an event, unless it has it, another worker is sending it, or it is not due yet.
        After a failure it waits 1, 2, 4 ... 240 seconds.
        """
        if not self._slots.acquire(blocking=False):
            self.publish(event_id, provider, countdown=BUSY_SECONDS)
            return
        try:
            self._send(event_id, provider)
        finally:
            self._slots.release()

    def _send(self, event_id: UUID, provider: str) -> None:
        with self._database.transaction() as session:
            row = session.scalar(
                select(BroadcastProviderMessage)
                .where(
                    BroadcastProviderMessage.broadcast_event_id == event_id,
                    BroadcastProviderMessage.provider == provider,
                    BroadcastProviderMessage.status == "sending",
                    BroadcastProviderMessage.due_at <= self._now(),
                )
                .with_for_update(skip_locked=True)
            )
            if row is None:
                return
            wait = self._attempt(session, row)
            row.updated_at = self._now()
            if wait is not None:
                row.due_at = row.updated_at + timedelta(seconds=wait)
                after_commit(session, lambda: self.publish(event_id, provider, countdown=wait))

    def _attempt(self, session: Session, row: BroadcastProviderMessage) -> float | None:
        """Try once. Returns the seconds until the next attempt; None if there is none."""
        event = session.get_one(BroadcastEvent, row.broadcast_event_id)
        if reason := self._refusal(session, event):
            _give_up(row, reason)
            return None
        earlier = _earlier_messages(session, event, row.provider)
        if any(message.status not in ("sending", "returned-ack") for message in earlier):
            _give_up(row, "the network did not take what was before")
            return None
        if event.message_type != "alert" and not earlier:
            _give_up(row, "the network was given nothing before")
            return None
        if any(message.status == "sending" for message in earlier):
            return WAIT_FOR_EARLIER
        try:
            self._networks.send(row.provider, _payload(session, event, row, earlier))
        except ProxyError:
            row.attempts += 1
            return min(1 << min(row.attempts - 1, 10), LONGEST_WAIT)
        row.status = "returned-ack"
        logger.info("broadcast sent", provider=row.provider, event_id=str(event.id), kind=event.message_type)
        return None

    def _refusal(self, session: Session, event: BroadcastEvent) -> str | None:
        service = session.get_one(Service, event.service_id)
        message = session.get_one(BroadcastMessage, event.broadcast_message_id)
        if not service.active or service.restricted or message.stubbed:
            return "the service is archived or in training mode"
        if event.transmitted_finishes_at is not None and event.transmitted_finishes_at <= self._now():
            return "its time is over"
        if event.message_type == "alert" and not polygons_of(event.transmitted_areas):
            return "it has no areas"
        return None

    def _available(self, session: Session, service_id: UUID) -> list[str]:
        """The enabled networks, or the one of them that the service is restricted to."""
        choice = session.scalar(select(BroadcastSettings.provider).where(BroadcastSettings.service_id == service_id))
        return [name for name in self._networks.enabled if choice in (None, "all", name)]


def _give_up(row: BroadcastProviderMessage, reason: str) -> None:
    row.status = "technical-failure"
    logger.error("broadcast not sent", reason=reason, provider=row.provider, event_id=str(row.broadcast_event_id))


def _add_provider_message(session: Session, event_id: UUID, provider: str, now: datetime) -> None:
    made = session.scalar(
        insert(BroadcastProviderMessage)
        .values(
            id=new_public_id(),
            broadcast_event_id=event_id,
            provider=provider,
            status="sending",
            created_at=now,
            due_at=now,
        )
        .on_conflict_do_nothing()
        .returning(BroadcastProviderMessage.id)
    )
    if made is not None and provider in NUMBERED:
        session.add(BroadcastProviderMessageNumber(provider_message_id=made))
    session.flush()


def _earlier_messages(session: Session, event: BroadcastEvent, provider: str) -> list[BroadcastProviderMessage]:
    """The earlier messages about the same alert that a network was sent, oldest first."""
    query = (
        select(BroadcastProviderMessage)
        .join(BroadcastEvent, BroadcastEvent.id == BroadcastProviderMessage.broadcast_event_id)
        .where(
            BroadcastEvent.broadcast_message_id == event.broadcast_message_id,
            BroadcastEvent.sent_at < event.sent_at,
            BroadcastProviderMessage.provider == provider,
        )
        .order_by(BroadcastEvent.sent_at)
    )
    return list(session.scalars(query))


def _payload(
    session: Session, event: BroadcastEvent, row: BroadcastProviderMessage, earlier: list[BroadcastProviderMessage]
) -> dict[str, Any]:
    message = _addressed(session, row)
    if event.message_type == "cancel":
        references = [_addressed(session, each) for each in earlier]
        return payloads.cancel(row.provider, message, earlier=references, sent=event.sent_at)
    return payloads.alert(
        row.provider,
        message,
        body=event.transmitted_content["body"],
        areas=event.transmitted_areas,
        channel=channel_of(session, event.service_id),
        sent=event.sent_at,
        expires=event.transmitted_finishes_at or event.sent_at,
    )


def _addressed(session: Session, row: BroadcastProviderMessage) -> Addressed:
    number = session.scalar(
        select(BroadcastProviderMessageNumber.number).where(
            BroadcastProviderMessageNumber.provider_message_id == row.id
        )
    )
    return Addressed(row.id, number, row.created_at)
