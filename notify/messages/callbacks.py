"""What services are told of their messages (contract: public-api 14.3, 14.4; workers 10)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, Self
from uuid import UUID

import structlog
from psycopg import Connection

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


class MessageCallbacks:
    """Records, in the transaction that changes a message, that its service is to be told."""

    def __init__(self, database: Database, encryptor: Encryptor, outbox: Outbox) -> None:
        self._database = database
        self._vault = encryptor
        self._outbox = outbox

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        return cls(container.parts.database, container.parts.encryptor, container.get(Outbox))

    def record(self, connection: Connection[Any], changed: Sequence[Sequence[Any]]) -> Collection[UUID]:
        """Messages whose status is now one that services are told of, as (id, service id, ...): by a receipt other than
        an interim one, or by the time-out; nothing else. Letters are left out. Gives the services to `publish` after
        the commit. Services without a callback cost nothing here.
        """
        if not changed:
            return ()
        wanting = self._outbox.wanting(connection, "delivery_status", {row[1] for row in changed})
        ids = [row[0] for row in changed if row[1] in wanting]
        if not ids:
            return ()
        rows = connection.execute(_READ, (ids,)).fetchall()
        return self._outbox.record(connection, "delivery_status", list(self._delivery_statuses(rows)))

    def _delivery_statuses(self, rows: Iterable[Sequence[Any]]) -> Iterator[NewCallback]:
        for row in rows:
            try:
                yield self._delivery_status(row)
            except UndecipherableError:
                # the receipt counts all the same, and so do those that came with it
                logger.error("service cannot be told: the recipient cannot be decrypted", id=row[0])

    def _delivery_status(self, row: Sequence[Any]) -> NewCallback:
        id_, service_id, reference, to, status, created_at, updated_at, sent_at, kind, template_id, version = row
        payload = payloads.delivery_status(
            notification_id=id_,
            reference=reference,
            to=self._vault.decrypt(to, TO, id_),
            status=status,
            created_at=created_at,
            completed_at=updated_at,
            sent_at=sent_at,
            notification_type=kind,
            template_id=template_id,
            template_version=version,
        )
        return NewCallback(service_id, id_, payload)

    def publish(self, services: Collection[UUID]) -> None:
        """Wake the workers that tell these services."""
        if services:
            self._outbox.publish("delivery_status", services)

    def record_again(self, notification_id: UUID) -> Collection[UUID]:
        """Tell the service of a message once more, if its status is one that services are told of."""
        with self._database.connection() as connection:
            rows = connection.execute(_READ, ([notification_id],)).fetchall()
            final = [row for row in rows if row[4] in COMPLETED and row[4] != "sent"]
            return self._outbox.record(connection, "delivery_status", list(self._delivery_statuses(final)))

    def complained(self, complaint: StoredComplaint) -> None:
        """Have a service told of a complaint that was stored. The same one again does no harm."""
        payload = payloads.complaint(
            notification_id=complaint.notification_id,
            complaint_id=complaint.id,
            reference=complaint.client_reference,
            to=complaint.recipient,
            complaint_date=complaint.complaint_date,
        )
        with self._database.connection() as connection:
            told = self._outbox.record(
                connection, "complaint", [NewCallback(complaint.service_id, complaint.id, payload)]
            )
        self._outbox.publish("complaint", told)
