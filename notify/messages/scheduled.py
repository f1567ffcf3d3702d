"""Scheduled messages (docs/decisions/0039-scheduled-messages.md).

Until its time, a scheduled message is one whose next try is at that time: `next_try_at` and `scheduled_for` are equal,
and neither delivery nor sweeper touch it.
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
"""How often to look for due messages."""
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
    """The services that may schedule messages through the public API."""

    def __init__(self, settings: SchedulingSettings) -> None:
        self._all = "all" in settings.scheduling_services
        self._services = frozenset(UUID(entry) for entry in settings.scheduling_services if entry != "all")

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.settings.part(SchedulingSettings))

    def has(self, service_id: UUID) -> bool:
        """Whether `scheduled_for` has an effect for this service."""
        return self._all or service_id in self._services


class _Due(NamedTuple):
    """A due message."""

    id: UUID
    notification_type: str
    key_type: str


def send_due(database: Database, queue: Queue, *, now: datetime) -> int:
    """Publish due messages. Returns their number. They are only marked as published after the broker accepted them; a
    crash in between publishes them twice, which is harmless.
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
        if len(rows) < DUE_AT_A_TIME or len(taken) < len(rows):  # all done, or the broker is down
            return number
