"""Measures how fast providers deliver text messages, and acts on slow ones (contract: workers 7.2, 7.3)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from redis.client import Pipeline

from notify.accounts.models import NOTIFY_USER_ID
from notify.infra.cache import Cache
from notify.infra.database import Database
from notify.infra.ids import first_id
from notify.providers.actions import shift_from_slow

logger = structlog.get_logger(__name__)

EVALUATED: Final = timedelta(minutes=15)
LIMITS_SECONDS: Final = (60, 300, 600)
SLOW_SECONDS: Final = 300
SLOW_OVERALL: Final = 0.1
SLOW_TIMES_KEY: Final = "slow-sms-delivery:number-of-times-over-threshold"
SLOW_TIMES: Final = 10
SLOW_TIMES_KEPT_SECONDS: Final = 24 * 3600

# the ids of a job's messages are made some time before the messages
_MADE_BEFORE: Final = timedelta(minutes=15)

# ids grow with time, so the primary key finds recent messages without another index
_SPEED: Final = """
SELECT sent_by, count(*), count(*) FILTER (WHERE took >= interval '60 s'),
       count(*) FILTER (WHERE took >= interval '300 s'), count(*) FILTER (WHERE took >= interval '600 s')
FROM (
    SELECT sent_by, CASE WHEN notification_status = 'delivered' THEN updated_at ELSE %(now)s END - sent_at AS took
    FROM notifications
    WHERE id >= %(first_id)s AND created_at >= %(first)s AND notification_type = 'sms' AND key_type <> 'test'
      AND notification_status IN ('delivered', 'pending', 'sending') AND sent_at IS NOT NULL AND sent_by IS NOT NULL
) AS recent
GROUP BY sent_by ORDER BY sent_by
"""


@dataclass(frozen=True, slots=True)
class DeliverySpeed:
    """The number of a provider's recent texts, and of those not delivered within each of `LIMITS_SECONDS` (keys)."""

    provider: str
    number: int
    late: Mapping[int, int]

    def ratio(self, seconds: int) -> float:
        """The share (0 to 1) not delivered within this many seconds."""
        return self.late[seconds] / self.number if self.number else 0.0


def measure(database: Database, now: datetime) -> Sequence[DeliverySpeed]:
    """The speed of each provider of texts accepted in the last 15 minutes, except those of test keys."""
    first = now - EVALUATED
    values = {"now": now, "first": first, "first_id": first_id(first - _MADE_BEFORE)}
    with database.autocommit() as connection:
        rows = connection.execute(_SPEED, values).fetchall()
    return [
        DeliverySpeed(provider, number, dict(zip(LIMITS_SECONDS, late, strict=True)))
        for provider, number, *late in rows
    ]


def shift_if_slow(database: Database, identifiers: Collection[str], *, now: datetime) -> bool:
    """Move a step of traffic away from a slow provider among `identifiers`. Returns whether anything changed."""
    ratios = {speed.provider: speed.ratio(SLOW_SECONDS) for speed in measure(database, now)}
    with database.transaction() as session:
        return shift_from_slow(session, ratios, identifiers, changed_by=NOTIFY_USER_ID, now=now)


def alert_if_slow(cache: Cache, speeds: Sequence[DeliverySpeed]) -> None:
    """Log one error if a tenth of all texts were slow in ten consecutive checks, counted in the cache."""
    number = sum(speed.number for speed in speeds)
    slow = sum(speed.late[SLOW_SECONDS] for speed in speeds)
    if not number or slow / number < SLOW_OVERALL:
        cache.set(SLOW_TIMES_KEY, "0", seconds=SLOW_TIMES_KEPT_SECONDS)
        return

    def count(pipeline: Pipeline) -> None:
        pipeline.incr(SLOW_TIMES_KEY)
        pipeline.expire(SLOW_TIMES_KEY, SLOW_TIMES_KEPT_SECONDS)

    results = cache.pipeline("slow texts", count)
    if results is not None and int(results[0]) == SLOW_TIMES:
        logger.error(
            "text messages have been slow for ten minutes",
            providers={speed.provider: {"number": speed.number, "slow": speed.late[SLOW_SECONDS]} for speed in speeds},
        )
