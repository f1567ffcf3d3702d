"""Callbacks to services about their messages (contract: public-api 14.3, 14.4; workers 10)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

import structlog
from psycopg import Connection
from psycopg.rows import args_row

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.secrets import Encryptor, UndecipherableError
from notify.messages.complaints import StoredComplaint
from notify.messages.models import TO
from notify.messages.statuses import COMPLETED
from notify.webhooks import payloads
from notify.webhooks.outbox import NewCallback, Outbox

logger = structlog.get_logger(__name__)

_READ: Final = """
SELECT id, service_id, client_reference, "to", notification_status, created_at, updated_at, sent_at, notification_type,
       template_id, template_version
FROM notifications WHERE id = ANY(%s) AND notification_type IN ('sms', 'email')
"""


def is_called_back(status: str) -> bool:
    """Whether services get a callback about texts and emails with this status."""
    return status in COMPLETED and status != "sent"


class Changed(NamedTuple):
    """A message that has changed to a status with a callback."""

    id: UUID
    service_id: UUID


class _Row(NamedTuple):
    id: UUID
    service_id: UUID
    client_reference: str | None
    to: bytes
    status: str
    created_at: datetime
    updated_at: datetime | None
    sent_at: datetime | None
    notification_type: str
    template_id: UUID
    template_version: int


class MessageCallbacks:
    """Records callbacks to services, in the transaction that changes a message."""

    def __init__(self, database: Database, encryptor: Encryptor, outbox: Outbox) -> None:
        self._database = database
        self._encryptor = encryptor
        self._outbox = outbox

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database, container.parts.encryptor, container.get(Outbox))

    def record(self, connection: Connection[Any], changed: Sequence[Changed]) -> Collection[UUID]:
        """Record the callbacks of messages that a receipt (except an interim one) or the timeout has changed. Letters
        are left out. Returns the services to `publish` after the commit. Services without a callback cost nothing here.

        """
        if not changed:
            return ()
        wanting = self._outbox.wanting(connection, "delivery_status", {one.service_id for one in changed})
        ids = [one.id for one in changed if one.service_id in wanting]
        if not ids:
            return ()
        return self._outbox.record(connection, "delivery_status", list(self._callbacks(_read(connection, ids))))

    def _callbacks(self, rows: Iterable[_Row]) -> Iterator[NewCallback]:
        for row in rows:
            try:
                yield self._callback(row)
            except UndecipherableError:
                # only skip this callback: its receipt, and others in the batch, still count
                logger.error("no callback: the recipient cannot be decrypted", id=row.id)

    def _callback(self, row: _Row) -> NewCallback:
        payload = payloads.delivery_status(
            notification_id=row.id,
            reference=row.client_reference,
            to=self._encryptor.decrypt(row.to, TO, row.id),
            status=row.status,
            created_at=row.created_at,
            completed_at=row.updated_at,
            sent_at=row.sent_at,
            notification_type=row.notification_type,
            template_id=row.template_id,
            template_version=row.template_version,
        )
        return NewCallback(row.service_id, row.id, payload)

    def publish(self, services: Collection[UUID]) -> None:
        """Publish the tasks that send the callbacks of these services."""
        if services:
            self._outbox.publish("delivery_status", services)

    def record_again(self, notification_id: UUID) -> Collection[UUID]:
        """Record the callback about a message again, if its status has one. Returns the services to `publish`."""
        with self._database.connection() as connection:
            rows = _read(connection, [notification_id])
            final = [row for row in rows if is_called_back(row.status)]
            return self._outbox.record(connection, "delivery_status", list(self._callbacks(final)))

    def complained(self, complaint: StoredComplaint) -> None:
        """Record and publish the callback about a stored complaint. Safe to repeat."""
        payload = payloads.complaint(
            notification_id=complaint.notification_id,
            complaint_id=complaint.id,
            reference=complaint.client_reference,
            to=complaint.recipient,
            complaint_date=complaint.complaint_date,
        )
        with self._database.connection() as connection:
            services = self._outbox.record(
                connection, "complaint", [NewCallback(complaint.service_id, complaint.id, payload)]
            )
        self._outbox.publish("complaint", services)


def _read(connection: Connection[Any], ids: Sequence[UUID]) -> list[_Row]:
    return connection.cursor(row_factory=args_row(_Row)).execute(_READ, (ids,)).fetchall()
