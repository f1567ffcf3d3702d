"""Messages that are to be sent later (docs/decisions/0039-scheduled-messages.md).

Until its time, a scheduled message is one whose next try is then: `next_try_at` and `scheduled_for` are equal, and
nothing that delivers or sweeps touches it.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Self
from uuid import UUID

from psycopg.rows import args_row

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.queue import Queue
from notify.messages.publish import publish, queue_for
from notify.messages.settings import SchedulingSettings

FURTHEST: Final = timedelta(days=4)
"""How far ahead a message may be scheduled."""
EVERY: Final = timedelta(seconds=20)
"""How often those are looked for whose time has come."""
DUE_AT_A_TIME: Final = 5000

_DUE: Final = """
SELECT id, notification_type::text, key_type FROM notifications
WHERE notification_status = 'created' AND next_try_at = scheduled_for AND scheduled_for <= %s
ORDER BY scheduled_for LIMIT %s
"""
_PUBLISHED: Final = """
UPDATE notifications SET next_try_at = NULL
WHERE id = ANY(%s) AND notification_status = 'created' AND next_try_at = scheduled_for
"""


class SchedulingServices:
    """Which services may schedule messages by the public API."""

    def __init__(self, settings: SchedulingSettings) -> None:
        self._all = "all" in settings.scheduling_services
        self._services = frozenset(UUID(entry) for entry in settings.scheduling_services if entry != "all")

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        return cls(container.parts.settings.part(SchedulingSettings))

    def has(self, service_id: UUID) -> bool:
        """Whether `scheduled_for` is heeded for this service."""
        return self._all or service_id in self._services


class _Due(NamedTuple):
    """A message whose time has come."""

    id: UUID
    notification_type: str
    key_type: str


def send_due(database: Database, queue: Queue, *, now: datetime) -> int:
    """Publish messages whose time has come; how many. They count as published only after the broker took them, so that
    a crash in between publishes them twice, which does no harm.
    """
    number = 0
    while True:
        with database.connection() as connection:
            cursor = connection.cursor(row_factory=args_row(_Due))
            rows = cursor.execute(_DUE, (now, DUE_AT_A_TIME)).fetchall()
        groups: dict[tuple[str, str], list[UUID]] = defaultdict(list)
        for row in rows:
            groups[row.notification_type, queue_for(row.notification_type, row.key_type)].append(row.id)
        taken: list[UUID] = []
        for (notification_type, queue_name), ids in groups.items():
            taken += ids[: publish(queue, notification_type, queue_name, ids)]
        if taken:
            with database.connection() as connection:
                connection.execute(_PUBLISHED, (taken,))
        number += len(taken)
        if len(rows) < DUE_AT_A_TIME or len(taken) < len(rows):  # all, or the broker is down: next time
            return number
