"""What keeps messages from getting stuck (contract: workers 5.4, 6.5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, Self
from uuid import UUID

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.queue import Queue
from notify.messages.callbacks import MessageCallbacks
from notify.messages.metrics import measure_statuses
from notify.messages.publish import DELIVER_TASKS, publish, queue_for

REPLAY_AGES: Final = (timedelta(hours=1), timedelta(days=7))
"""Between these ages, messages that are still `created` are published again every quarter of an hour (6.5)."""
SWEPT_AT_A_TIME: Final = 10_000
TIMED_OUT_AT_A_TIME: Final = 10_000

_CREATED: Final = """
SELECT id, key_type, created_at FROM notifications
WHERE notification_status = 'created' AND notification_type = %(type)s
  AND (created_at, id) > (%(after)s, %(after_id)s) AND created_at < %(before)s
  AND (updated_at IS NULL OR updated_at < %(tried)s)
ORDER BY created_at, id LIMIT %(limit)s
"""
_TIME_OUT: Final = """
UPDATE notifications SET notification_status = 'temporary-failure', updated_at = %(now)s
WHERE id IN (
    SELECT id FROM notifications
    WHERE notification_status IN ('sending', 'pending') AND notification_type IN ('sms', 'email')
      AND created_at < %(before)s
    ORDER BY created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id, notification_type::text, key_type, service_id
"""
_OLDEST_CREATED: Final = """
SELECT kind::text, (SELECT min(created_at) FROM notifications
                    WHERE notification_status = 'created' AND notification_type = kind)
FROM unnest(enum_range(NULL::notification_type)) AS kind
"""


def sweep_ages(first: timedelta) -> list[timedelta]:
    """The ages before the contract's, at which a message that is still `created` is published again: `first`, and then
    twice as old each time. So a queue that is merely long is not made longer every minute.
    """
    ages = []
    while first < REPLAY_AGES[0]:
        ages.append(first)
        first *= 2
    return ages


class Sweeper:
    """Publishes again what is still `created`: its task got lost, with a killed process or with the broker's memory.

    A message that was tried within `retry` (the time between two tries) and half as long again is left alone: its next
    try is queued, and a second chain of tries would be no help to a provider in trouble. A message that is published
    twice is delivered once.
    """

    def __init__(self, database: Database, queue: Queue, *, retry: timedelta) -> None:
        self._database = database
        self._queue = queue
        self._tried = retry * 1.5

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        parts = container.parts
        return cls(parts.database, parts.queue, retry=timedelta(seconds=parts.settings.delivery_retry_seconds))

    def sweep(self, *, now: datetime, first: timedelta, every: timedelta) -> int:
        """Those that have one of the ages of `sweep_ages`; to be called at each interval `every`. A window is twice as
        wide, so that a late call misses nothing. Gives their number.
        """
        return sum(self._publish(now, age, age + 2 * every) for age in sweep_ages(first))

    def replay(self, *, now: datetime) -> int:
        """All between an hour and seven days old. Gives their number."""
        return self._publish(now, *REPLAY_AGES)

    def _publish(self, now: datetime, youngest: timedelta, oldest: timedelta) -> int:
        number = 0
        for notification_type in DELIVER_TASKS:
            for rows in self._pages(notification_type, now, youngest, oldest):
                by_queue: dict[str, list[UUID]] = defaultdict(list)
                for id_, key_type, _ in rows:
                    by_queue[queue_for(notification_type, key_type)].append(id_)
                for queue_name, ids in by_queue.items():
                    taken = publish(self._queue, notification_type, queue_name, ids)
                    number += taken
                    if taken < len(ids):  # the broker is down: next time
                        return number
        return number

    def _pages(
        self, notification_type: str, now: datetime, youngest: timedelta, oldest: timedelta
    ) -> Iterator[Sequence[tuple[UUID, str, datetime]]]:
        after = (now - oldest, UUID(int=0))
        while True:
            with self._database.connection() as connection:
                rows = connection.execute(
                    _CREATED,
                    {
                        "type": notification_type,
                        "after": after[0],
                        "after_id": after[1],
                        "before": now - youngest,
                        "tried": now - self._tried,
                        "limit": SWEPT_AT_A_TIME,
                    },
                ).fetchall()
            yield rows
            if len(rows) < SWEPT_AT_A_TIME:
                return
            after = (rows[-1][2], rows[-1][0])


def time_out_sending(
    database: Database, callbacks: MessageCallbacks, *, now: datetime, after: timedelta
) -> Sequence[UUID]:
    """Messages without a receipt for so long become `temporary-failure`, some thousands at a time, and their services
    are told of it. Gives their ids.
    """
    timed_out: list[UUID] = []
    while True:
        with database.connection() as connection:
            rows = connection.execute(
                _TIME_OUT, {"now": now, "before": now - after, "limit": TIMED_OUT_AT_A_TIME}
            ).fetchall()
            told = callbacks.record(connection, [(id_, service_id) for id_, _, _, service_id in rows])
        callbacks.publish(told)
        if not rows:
            return timed_out
        timed_out += [row[0] for row in rows]
        measure_statuses((kind, key_type, "temporary-failure") for _, kind, key_type, _ in rows)


def oldest_created(database: Database) -> dict[str, datetime | None]:
    """When the oldest message of each type was accepted of those that were not handed over yet; null: there is none."""
    with database.connection() as connection:
        connection.execute("SET LOCAL statement_timeout = 2000")
        return dict(connection.execute(_OLDEST_CREATED).fetchall())
