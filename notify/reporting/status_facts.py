"""Status facts: the numbers of messages of a local day by status (contract: workers 15.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from notify.infra.database import Database
from notify.infra.times import utc_now
from notify.reporting.days import bounds_of, chunks_of_services
from notify.reporting.models import NO_JOB

DAYS_BACK: Final = {"sms": 4, "email": 4, "letter": 10}
"""Days before today to count each night, by type: after three days texts and emails have timed out."""

_STORE: Final = text("""
WITH message AS (
    SELECT template_id, service_id, job_id, key_type, notification_status
    FROM (SELECT template_id, service_id, job_id, key_type, notification_status, notification_type, created_at
          FROM notifications
          UNION ALL
          SELECT template_id, service_id, job_id, key_type, notification_status, notification_type, created_at
          FROM notification_history) AS kept
    WHERE service_id = ANY(:services) AND created_at >= :since AND created_at < :until
      AND key_type IN ('normal', 'team') AND notification_type = CAST(CAST(:type AS text) AS notification_type)
),
counted AS MATERIALIZED (
    SELECT template_id, service_id, coalesce(job_id, CAST(:no_job AS uuid)) AS job_id, key_type, notification_status,
           count(*) AS number
    FROM message GROUP BY 1, 2, 3, 4, 5
),
gone AS (
    DELETE FROM ft_notification_status AS fact
    WHERE bst_date = :day AND notification_type = :type AND service_id = ANY(:services) AND NOT EXISTS (
        SELECT FROM counted
        WHERE (counted.template_id, counted.service_id, counted.job_id, counted.key_type, counted.notification_status)
            = (fact.template_id, fact.service_id, fact.job_id, fact.key_type, fact.notification_status))
)
INSERT INTO ft_notification_status (bst_date, template_id, service_id, job_id, notification_type, key_type,
                                    notification_status, notification_count, created_at)
SELECT CAST(:day AS date), template_id, service_id, job_id, CAST(:type AS text), key_type, notification_status,
       number, CAST(:now AS timestamptz)
FROM counted ORDER BY 2, 3, 4, 6, 7
ON CONFLICT (bst_date, template_id, service_id, job_id, notification_type, key_type, notification_status)
DO UPDATE SET notification_count = excluded.notification_count, updated_at = excluded.created_at
WHERE ft_notification_status.notification_count <> excluded.notification_count
""")


def store_statuses(
    session: Session, day: date, notification_type: str, services: Sequence[UUID], *, now: datetime | None = None
) -> int:
    """Make the facts of a local day for some services and a type of message; outdated facts are deleted. Returns the
    number of new or changed facts. Correct ones are not rewritten, so that a night writes few rows.

    """
    since, until = bounds_of(day)
    values = {
        "day": day,
        "type": notification_type,
        "services": list(services),
        "since": since,
        "until": until,
        "no_job": NO_JOB,
        "now": now or utc_now(),
    }
    return int(session.execute(_STORE, values).rowcount)  # type: ignore[attr-defined]


def store_statuses_of_day(
    database: Database, day: date, notification_type: str, *, service_id: UUID | None = None
) -> Iterator[int]:
    """Make the facts of a local day for all services, or for one, with one transaction per chunk of services; yields
    the number of new or changed facts of each chunk. Safe to run again.
    """
    for services in chunks_of_services(database, service_id):
        with database.transaction() as session:
            number = store_statuses(session, day, notification_type, services)
        yield number
