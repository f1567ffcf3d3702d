"""Measures how quickly messages are handed to providers, by local day (contract: workers 15)."""

from __future__ import annotations

from datetime import date
from typing import Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from notify.infra.database import Database
from notify.infra.times import utc_now
from notify.reporting.days import bounds_of, chunks_of_services
from notify.reporting.models import ProcessingTimeFact

_COUNT: Final = text("""
SELECT count(*) AS total, count(*) FILTER (WHERE sent_at - created_at <= interval '10 seconds') AS quick
FROM (SELECT service_id, api_key_id, key_type, notification_type, created_at, sent_at FROM notifications
      UNION ALL
      SELECT service_id, api_key_id, key_type, notification_type, created_at, sent_at FROM notification_history) AS kept
WHERE service_id = ANY(:services) AND created_at >= :since AND created_at < :until AND api_key_id IS NOT NULL
  AND key_type IN ('normal', 'team') AND notification_type IN ('sms', 'email')
""")


class ProcessingTime(NamedTuple):
    """The number of messages of a day, and of those handed to a provider within ten seconds."""

    total: int
    quick: int


def store_processing_time(database: Database, day: date) -> ProcessingTime:
    """Count the texts and emails of a local day sent with API keys except test keys, and those handed to a provider
    within ten seconds. Replaces the stored values of the day.
    """
    since, until = bounds_of(day)
    total = quick = 0
    for services in chunks_of_services(database):
        with database.reading() as session:
            row = session.execute(_COUNT, {"services": services, "since": since, "until": until}).one()
        total, quick = total + row.total, quick + row.quick
    counts = {"messages_total": total, "messages_within_10_secs": quick}
    with database.transaction() as session:
        fact = insert(ProcessingTimeFact).values(bst_date=day, created_at=utc_now(), **counts)
        session.execute(
            fact.on_conflict_do_update(index_elements=["bst_date"], set_={**counts, "updated_at": utc_now()})
        )
    return ProcessingTime(total, quick)
