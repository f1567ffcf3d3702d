"""Finds messages that are stuck, and publishes or ends them (contract: workers 5.4, 6.5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Self
from uuid import UUID

from psycopg.rows import args_row

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.queue import Queue
from notify.messages.callbacks import Changed, MessageCallbacks
from notify.messages.metrics import measure_statuses
from notify.messages.publish import DELIVER_TASKS, publish, queue_for
from notify.messages.settings import DeliverySettings

REPLAY_AGES: Final = (timedelta(hours=1), timedelta(days=7))
"""Between these ages, messages that are still `created` are published again every quarter of an hour (6.5)."""
SWEPT_AT_A_TIME: Final = 10_000
TIMED_OUT_AT_A_TIME: Final = 10_000

_CREATED: Final = """
SELECT id, key_type, created_at FROM notifications
WHERE notification_status = 'created' AND notification_type = %(type)s
  AND (created_at, id) > (%(after)s, %(after_id)s) AND created_at < %(before)s
  AND (next_try_at IS NULL OR next_try_at < %(overdue)s)
  AND (notification_type <> 'letter' OR (billable_units = 0 AND updated_at IS NULL AND key_type = 'normal'))
ORDER BY created_at, id LIMIT %(limit)s
"""
_TIME_OUT: Final = """
UPDATE notifications SET notification_status = 'temporary-failure', updated_at = %(now)s
WHERE id IN (
    SELECT id FROM notifications
    WHERE notification_status IN ('sending', 'pending') AND notification_type IN ('sms', 'email')
      AND created_at < %(before)s AND (scheduled_for IS NULL OR scheduled_for < %(before)s)
    ORDER BY created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id, service_id, notification_type::text, key_type
"""
_COUNT: Final = """
SELECT count(*) FROM notifications
WHERE notification_status = 'created' AND notification_type IN ('sms', 'email') AND created_at < %(before)s
  AND (scheduled_for IS NULL OR scheduled_for < %(before)s)
"""
# the holder of a message's lock is about to send it
_END: Final = """
UPDATE notifications SET notification_status = %(status)s, updated_at = %(now)s
WHERE id IN (
    SELECT id FROM notifications
    WHERE notification_status = 'created' AND notification_type IN ('sms', 'email') AND created_at < %(before)s
      AND (scheduled_for IS NULL OR scheduled_for < %(before)s)
      AND pg_try_advisory_xact_lock(hashtextextended(id::text, 6011))
    ORDER BY created_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id, service_id, notification_type::text, key_type
"""
_COUNT_INTERRUPTED: Final = """
WITH ended AS (
    DELETE FROM delivery_batches WHERE pg_try_advisory_xact_lock(hashtextextended(id::text, 6013))
    RETURNING message_ids
)
UPDATE notifications SET interrupted = interrupted + 1
WHERE id = ANY(ARRAY(SELECT unnest(message_ids) FROM ended)) AND notification_status = 'created'
RETURNING id
"""
_OLDEST_CREATED: Final = """
SELECT kind::text, (SELECT min(created_at) FROM notifications
                    WHERE notification_status = 'created' AND notification_type = kind AND scheduled_for IS NULL)
FROM unnest(enum_range(NULL::notification_type)) AS kind
"""


class _Ended(NamedTuple):
    """A message that was ended."""

    id: UUID
    service_id: UUID
    notification_type: str
    key_type: str


class _Created(NamedTuple):
    """A message that was not sent yet."""

    id: UUID
    key_type: str
    created_at: datetime


def sweep_ages(first: timedelta) -> list[timedelta]:
    """The ages, before the contract's, at which a message that is still `created` is published again: `first`, then
    doubled each time. So a queue that is just long does not grow every minute.
    """
    ages = []
    while first < REPLAY_AGES[0]:
        ages.append(first)
        first *= 2
    return ages


class Sweeper:
    """Publishes messages again that are still `created`, because their task was lost with a process or the broker.

    A letter stays `created` until it is printed, but has a number of sheets when its PDF is made. A message whose next
    try is not overdue by half of `retry` (the time between two tries) is skipped, because a task for it is queued. A
    message that is published twice is delivered once.
    """

    def __init__(self, database: Database, queue: Queue, *, retry: timedelta) -> None:
        self._database = database
        self._queue = queue
        self._overdue = retry * 0.5

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        return cls(
            parts.database,
            parts.queue,
            retry=timedelta(seconds=parts.settings.part(DeliverySettings).delivery_retry_seconds),
        )

    def sweep(self, *, now: datetime, first: timedelta, every: timedelta) -> int:
        """Publish messages with one of the ages of `sweep_ages`. Call it every `every`; the windows are twice as wide,
        so that a late call misses nothing. Returns the number of messages.
        """
        return sum(self._publish(now, age, age + 2 * every) for age in sweep_ages(first))

    def replay(self, *, now: datetime) -> int:
        """Publish all messages between an hour and seven days old. Returns their number."""
        return self._publish(now, *REPLAY_AGES)

    def _publish(self, now: datetime, youngest: timedelta, oldest: timedelta) -> int:
        number = 0
        for notification_type in DELIVER_TASKS:
            for rows in self._pages(notification_type, now, youngest, oldest):
                by_queue: dict[str, list[UUID]] = defaultdict(list)
                for row in rows:
                    by_queue[queue_for(notification_type, row.key_type)].append(row.id)
                for queue_name, ids in by_queue.items():
                    taken = publish(self._queue, notification_type, queue_name, ids)
                    number += taken
                    if taken < len(ids):  # the broker is down: next time
                        return number
        return number

    def _pages(
        self, notification_type: str, now: datetime, youngest: timedelta, oldest: timedelta
    ) -> Iterator[Sequence[_Created]]:
        after = (now - oldest, UUID(int=0))
        while True:
            with self._database.connection() as connection:
                values = {
                    "type": notification_type,
                    "after": after[0],
                    "after_id": after[1],
                    "before": now - youngest,
                    "overdue": now - self._overdue,
                    "limit": SWEPT_AT_A_TIME,
                }
                rows = connection.cursor(row_factory=args_row(_Created)).execute(_CREATED, values).fetchall()
            yield rows
            if len(rows) < SWEPT_AT_A_TIME:
                return
            after = (rows[-1].created_at, rows[-1].id)


def time_out_sending(
    database: Database, callbacks: MessageCallbacks, *, now: datetime, after: timedelta
) -> Sequence[UUID]:
    """Set messages without a receipt after `after` to `temporary-failure`, some thousands at a time, and record the
    callbacks of their services. Returns their ids.
    """
    timed_out: list[UUID] = []
    while True:
        with database.connection() as connection:
            values = {"now": now, "before": now - after, "limit": TIMED_OUT_AT_A_TIME}
            rows = connection.cursor(row_factory=args_row(_Ended)).execute(_TIME_OUT, values).fetchall()
            services = callbacks.record(connection, [Changed(row.id, row.service_id) for row in rows])
        callbacks.publish(services)
        if not rows:
            return timed_out
        timed_out += [row.id for row in rows]
        measure_statuses((row.notification_type, row.key_type, "temporary-failure") for row in rows)


def count_interrupted(database: Database) -> int:
    """Count, on each message, the workers that died while sending it, from the records of their batches, which are
    deleted. Returns the number of messages.
    """
    with database.connection() as connection:
        return len(connection.execute(_COUNT_INTERRUPTED).fetchall())


def end_created(database: Database, *, before: datetime, status: str, now: datetime) -> list[UUID]:
    """Set a status on texts and emails accepted before a time that are still `created`, so that they are not sent.
    Scheduled ones count from their time. Those that a worker is about to send are left out. Returns their ids.

    """
    ended: list[UUID] = []
    while True:
        with database.connection() as connection:
            values = {"status": status, "now": now, "before": before, "limit": TIMED_OUT_AT_A_TIME}
            rows = connection.cursor(row_factory=args_row(_Ended)).execute(_END, values).fetchall()
        if not rows:
            return ended
        ended += [row.id for row in rows]
        measure_statuses((row.notification_type, row.key_type, status) for row in rows)


def count_created(database: Database, *, before: datetime) -> int:
    """The number of texts and emails accepted before a time that are still `created`."""
    with database.connection() as connection:
        row = connection.execute(_COUNT, {"before": before}).fetchone()
    return int(row[0]) if row else 0


def end_forgotten(database: Database, *, now: datetime) -> list[UUID]:
    """Set messages that could not be sent during the days of the replay to `technical-failure`. Returns their ids."""
    return end_created(database, before=now - REPLAY_AGES[1], status="technical-failure", now=now)


def oldest_created(database: Database) -> dict[str, datetime | None]:
    """When the oldest unsent message of each type was accepted, ignoring scheduled ones; None if there is none."""
    with database.connection() as connection:
        connection.execute("SET LOCAL statement_timeout = 2000")
        return dict(connection.execute(_OLDEST_CREATED).fetchall())
