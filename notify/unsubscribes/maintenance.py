"""Archives unsubscribe requests, without the addresses (contract: workers 14)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import Connection

from notify.infra.database import Database
from notify.infra.times import midnight_days_ago
from notify.unsubscribes.reports import REPORTED_DAYS, UNREPORTED_DAYS

ARCHIVED_AT_A_TIME: Final = 5_000

_MOVE: Final = """
WITH moved AS (
    DELETE FROM unsubscribe_request WHERE id IN (
        SELECT r.id FROM unsubscribe_request r
        LEFT JOIN unsubscribe_request_report p ON p.id = r.unsubscribe_request_report_id
        WHERE (p.id IS NOT NULL AND p.created_at < %(reported)s)
              OR (r.unsubscribe_request_report_id IS NULL AND r.created_at < %(unreported)s)
        ORDER BY r.id LIMIT %(limit)s
        FOR UPDATE OF r SKIP LOCKED)
    RETURNING id, notification_id, service_id, template_id, template_version, created_at, unsubscribe_request_report_id
), archived AS (
    INSERT INTO unsubscribe_request_history (id, notification_id, service_id, template_id, template_version, created_at,
                                             unsubscribe_request_report_id)
    SELECT * FROM moved ON CONFLICT (id) DO NOTHING
)
SELECT service_id FROM moved
"""


def archive_requests(database: Database, now: datetime) -> Iterator[set[UUID]]:
    """Move requests to the history: those in a report that is more than seven days old, and those received more than 90
    days ago that are in no report. Yields the services of each committed batch.
    """
    values = {
        "reported": midnight_days_ago(now, REPORTED_DAYS),
        "unreported": midnight_days_ago(now, UNREPORTED_DAYS),
        "limit": ARCHIVED_AT_A_TIME,
    }
    while True:
        with database.connection() as connection:
            moved = _move(connection, values)
        if moved:
            yield set(moved)
        if len(moved) < ARCHIVED_AT_A_TIME:
            return


def _move(connection: Connection[Any], values: dict[str, Any]) -> list[UUID]:
    return [service_id for (service_id,) in connection.execute(_MOVE, values).fetchall()]
