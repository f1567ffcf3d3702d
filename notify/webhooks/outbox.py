"""The outbox of callbacks: written in the transaction of their cause, and kept until they are sent.

A row of `pending_callbacks` is the source of truth; a task is a hint that follows it, and a sweeper republishes lost
hints. Services without a callback cost one lookup in a dictionary.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

import structlog
from cachetools import TTLCache
from psycopg import Connection
from psycopg.rows import class_row, scalar_row

from notify import queues
from notify.infra.background import Background
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.ids import new_id
from notify.infra.queue import Queue, TaskName
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.vocabulary import CallbackType
from notify.webhooks.models import PAYLOAD

logger = structlog.get_logger(__name__)

SEND_DELIVERY_STATUS: Final = TaskName("send-delivery-status")
SEND_INBOUND_SMS: Final = TaskName("send-inbound-sms")
SEND_COMPLAINT: Final = TaskName("send-complaint")
SEND_RETURNED_LETTER: Final = TaskName("send-returned-letter")

TASKS: Final[Mapping[CallbackType, TaskName]] = {
    "delivery_status": SEND_DELIVERY_STATUS,
    "inbound_sms": SEND_INBOUND_SMS,
    "complaint": SEND_COMPLAINT,
    "returned_letter": SEND_RETURNED_LETTER,
}
"""The task that sends each type of callback (contract: workers 4.2)."""

KNOWN_SECONDS: Final = 2
KNOWN_SERVICES: Final = 10_000
PAUSE_SECONDS: Final = 0.02
OVERDUE: Final = timedelta(seconds=30)
"""The hint of a callback that has been due for this long is considered lost."""

_HAVING: Final = "SELECT service_id FROM service_callback_api WHERE callback_type = %s AND service_id = ANY(%s)"
_RECORD: Final = """
INSERT INTO pending_callbacks (id, callback_type, service_id, subject_id, payload, created_at, due_at)
SELECT p.id, %(type)s, p.service_id, p.subject_id, p.payload, %(now)s, %(now)s
FROM unnest(%(ids)s::uuid[], %(services)s::uuid[], %(subjects)s::uuid[], %(payloads)s::bytea[])
     AS p(id, service_id, subject_id, payload)
ON CONFLICT (callback_type, subject_id) DO NOTHING
"""
_EXPIRED: Final = "DELETE FROM pending_callbacks WHERE created_at < %s RETURNING callback_type, service_id"
_OVERDUE: Final = """
SELECT callback_type, service_id, bool_or(attempts = 0) AS is_first FROM pending_callbacks WHERE due_at < %s
GROUP BY callback_type, service_id
"""


@dataclass(frozen=True, slots=True)
class NewCallback:
    """A callback to send: the id of its subject (a message, text, complaint or letter), and its body."""

    service_id: UUID
    subject_id: UUID
    payload: Mapping[str, Any]


class _Overdue(NamedTuple):
    """Callbacks of a type for a service whose hint was lost. `is_first`: some of them have not been tried yet."""

    callback_type: CallbackType
    service_id: UUID
    is_first: bool


class Outbox:
    """Records callbacks, and wakes the workers that send them."""

    def __init__(self, encryptor: Encryptor, queue: Queue) -> None:
        self._encryptor = encryptor
        self._queue = queue
        self._known: TTLCache[tuple[CallbackType, UUID], bool] = TTLCache(KNOWN_SERVICES, KNOWN_SECONDS)
        self._lock = Lock()
        self._background: Background[tuple[CallbackType, UUID]] = Background(
            "callbacks", self._publish, pause=PAUSE_SECONDS
        )

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.encryptor, container.parts.queue)

    def wanting(
        self, connection: Connection[Any], callback_type: CallbackType, service_ids: Collection[UUID]
    ) -> set[UUID]:
        """The services that have a callback of this type, cached for at most two seconds."""
        wanting, unknown = set(), []
        with self._lock:
            for service_id in service_ids:
                known = self._known.get((callback_type, service_id))
                if known:
                    wanting.add(service_id)
                elif known is None:
                    unknown.append(service_id)
        if unknown:
            cursor = connection.cursor(row_factory=scalar_row)
            found: set[UUID] = set(cursor.execute(_HAVING, (callback_type, unknown)))
            wanting |= found
            with self._lock:
                self._known.update({(callback_type, service_id): service_id in found for service_id in unknown})
        return wanting

    def record(
        self, connection: Connection[Any], callback_type: CallbackType, callbacks: Sequence[NewCallback]
    ) -> set[UUID]:
        """Write callbacks in the caller's transaction, except for services without a callback of this type, and except
        callbacks that are already written. Returns the services to `publish` after the commit.
        """
        wanting = self.wanting(connection, callback_type, {callback.service_id for callback in callbacks})
        wanted = [callback for callback in callbacks if callback.service_id in wanting]
        if wanted:
            ids = [new_id() for _ in wanted]
            connection.execute(
                _RECORD,
                {
                    "type": callback_type,
                    "now": utc_now(),
                    "ids": ids,
                    "services": [callback.service_id for callback in wanted],
                    "subjects": [callback.subject_id for callback in wanted],
                    "payloads": [
                        self._encryptor.encrypt_json(callback.payload, PAYLOAD, id_)
                        for id_, callback in zip(ids, wanted, strict=True)
                    ],
                },
            )
        return wanting

    def publish(self, callback_type: CallbackType, service_ids: Iterable[UUID]) -> None:
        """Publish a task for each of these services, soon and in the background: one task for all pending callbacks."""
        self._background.put((callback_type, service_id) for service_id in service_ids)

    def _publish(self, hints: Sequence[tuple[CallbackType, UUID]]) -> None:
        for callback_type, service_id in dict.fromkeys(hints):
            publish(self._queue, callback_type, service_id)

    def forget(self) -> None:
        """Empty the cache of services with callbacks."""
        with self._lock:
            self._known.clear()

    def close(self) -> None:
        """Publish the hints that are still queued."""
        self._background.close()


def publish(
    queue: Queue,
    callback_type: CallbackType,
    service_id: UUID,
    *,
    queue_name: str = queues.SERVICE_CALLBACKS,
    countdown: float | None = None,
) -> bool:
    """Publish the task that sends a service all pending callbacks. Returns False if the broker is down."""
    return queue.publish(TASKS[callback_type], [None, str(service_id)], queue=queue_name, countdown=countdown)


def sweep(database: Database, queue: Queue, *, now: datetime, expiry: timedelta) -> int:
    """Publish lost hints again, and delete callbacks older than `expiry`. Returns the number of tasks published."""
    with database.connection() as connection:
        expired = connection.execute(_EXPIRED, (now - expiry,)).fetchall()
        overdue = connection.cursor(row_factory=class_row(_Overdue)).execute(_OVERDUE, (now - OVERDUE,)).fetchall()
    for (callback_type, service_id), number in Counter(expired).items():
        logger.warning("callbacks expired", callback_type=callback_type, service_id=str(service_id), number=number)
    for one in overdue:
        name = queues.SERVICE_CALLBACKS if one.is_first else queues.SERVICE_CALLBACKS_RETRY
        publish(queue, one.callback_type, one.service_id, queue_name=name)
    return len(overdue)
