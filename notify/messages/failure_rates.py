"""Finds services whose texts fail too often, or go to fictitious numbers (contract: workers 16)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from notify.vocabulary import STATUSES

LOOKED_AT: Final = timedelta(hours=24)
MANY_TEXTS: Final = 10_000
"""Minimum number of texts for a meaningful failure rate."""
HIGH_SHARE: Final = 0.25
MANY_TO_TV_NUMBERS: Final = 500
TV_NUMBERS: Final = "__7700900%"
"""Numbers reserved for films, in the form of `normalised_to`."""

SUBJECT: Final = "High failure rates for sms spotted for services"
TASK_TYPE: Final = "notify_task_high_failure"

# by the index of lists (docs/decisions/0020); `m.tries >= 0`: see OF_ITS_LIST in models.py
_COUNTS: Final = text(
    """
SELECT s.id, s.name, sum(c.number)::bigint AS number,
       coalesce(sum(c.number) FILTER (WHERE c.status = 'permanent-failure'), 0)::bigint AS failed
FROM services s
CROSS JOIN LATERAL (
    SELECT wanted_status AS status, (
        SELECT count(*) FROM notifications m
        WHERE m.service_id = s.id AND m.key_type = wanted_key AND m.notification_type = 'sms'
              AND m.notification_status = wanted_status AND (m.job_id IS NOT NULL) = in_job AND m.created_at >= :since
              AND m.tries >= 0
    ) AS number
    FROM unnest(ARRAY['normal', 'team']) AS wanted_key, unnest(CAST(:statuses AS text[])) AS wanted_status,
         unnest(ARRAY[false, true]) AS in_job
) AS c
WHERE s.active AND NOT s.restricted
GROUP BY s.id, s.name HAVING sum(c.number) > :fewest
ORDER BY s.name, s.id
"""
)
_TO_TV: Final = text(
    """
SELECT count(*) FROM notifications
WHERE service_id = :service AND created_at >= :since AND notification_type = 'sms' AND key_type <> 'test'
      AND normalised_to LIKE :pattern
"""
)


class Suspect(NamedTuple):
    """A live service to investigate. `failed`: the share of permanent failures, if too high; `to_tv_numbers`: the
    number of texts to fictitious numbers, if too high.
    """

    id: UUID
    name: str
    failed: float | None
    to_tv_numbers: int | None


def find_suspects(session: Session, now: datetime) -> list[Suspect]:
    """The services that a person should investigate, by name."""
    since = now - LOOKED_AT
    rows = session.execute(_COUNTS, {"since": since, "statuses": list(STATUSES), "fewest": MANY_TO_TV_NUMBERS}).all()
    found = []
    for row in rows:
        share = row.failed / row.number
        to_tv = session.scalar(_TO_TV, {"service": row.id, "since": since, "pattern": TV_NUMBERS}) or 0
        suspect = Suspect(
            row.id,
            row.name,
            share if row.number >= MANY_TEXTS and share >= HIGH_SHARE else None,
            to_tv if to_tv > MANY_TO_TV_NUMBERS else None,
        )
        if suspect.failed is not None or suspect.to_tv_numbers is not None:
            found.append(suspect)
    return found


def message(admin_base_url: str, suspects: Sequence[Suspect]) -> str:
    """The text of the ticket."""
    parts = []
    failing = [(one, one.failed) for one in suspects if one.failed is not None]
    if failing:
        lines = [f"{admin_base_url}/services/{one.id} failure rate: {share:.0%}" for one, share in failing]
        parts.append("\n".join(["These services had many permanent failures of texts in the last 24 hours:", *lines]))
    to_tv = [(one, one.to_tv_numbers) for one in suspects if one.to_tv_numbers is not None]
    if to_tv:
        lines = [f"{admin_base_url}/services/{one.id} texts to such numbers: {number:,}" for one, number in to_tv]
        parts.append("\n".join(["These services sent many texts to numbers reserved for films:", *lines]))
    return "\n\n".join(parts)
