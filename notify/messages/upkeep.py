"""What keeps messages from getting stuck (contract: workers 5.4, 6.5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from notify.infra.database import Database
from notify.infra.queue import Queue
from notify.messages.callbacks import MessageCallbacks
from notify.messages.dispatch import publish, queue_for
from notify.messages.measure import measure_statuses

SWEEP_INTERVAL: Final = timedelta(minutes=1)
OLDEST: Final = timedelta(days=7)
SWEPT_AT_A_TIME: Final = 10_000
TIMED_OUT_AT_A_TIME: Final = 10_000

_CREATED: Final = """
SELECT id, notification_type::text, key_type FROM notifications
WHERE notification_status = 'created' AND notification_type IN ('sms', 'email')
  AND created_at >= %s AND created_at < %s
ORDER BY created_at LIMIT %s
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
    """The ages at which a message that is still `created` is published again: `first`, and then twice as old each time,
    up to seven days. So a queue that is merely long is not made longer every minute.
    """
    ages = [first]
    while ages[-1] * 2 < OLDEST:
        ages.append(ages[-1] * 2)
    return ages


def sweep_created(database: Database, queue: Queue, *, now: datetime, first: timedelta) -> int:
    """Publish again the messages that are still `created` at one of the ages of `sweep_ages`; to be called every
    `SWEEP_INTERVAL`. Gives their number. A window is twice the interval, so that a late call misses nothing; a message
    published twice is delivered once.
    """
    found: dict[tuple[str, str], list[UUID]] = defaultdict(list)
    with database.connection() as connection:
        for age in sweep_ages(first):
            youngest = now - age
            rows = connection.execute(_CREATED, (youngest - 2 * SWEEP_INTERVAL, youngest, SWEPT_AT_A_TIME)).fetchall()
            for id_, notification_type, key_type in rows:
                found[notification_type, queue_for(notification_type, key_type)].append(id_)
    for (notification_type, queue_name), ids in found.items():
        publish(queue, notification_type, queue_name, ids)
    return sum(len(ids) for ids in found.values())


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
