"""Fills a large database for development and measurements: messages of many services, their jobs, history and facts.

Messages are stored in the order of time, alternating between services as in production: rows of a service are not
adjacent.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, Final, LiteralString
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from notify.infra.ids import first_id, new_public_id
from notify.infra.parts import Parts
from notify.infra.times import local_date, local_midnight
from notify.jobs.models import Job
from notify.messages.models import PERSONALISATION, TO
from notify.reporting.billing_facts import store_billing_of_day
from notify.reporting.status_facts import store_statuses_of_day

AT_A_TIME: Final = 10_000
DAYS: Final = 7
HISTORY_DAYS: Final = 365
LARGEST_JOB: Final = 100_000
JOBS_AT_LEAST: Final = 20
"""Least number of jobs for the rows of a source, if it has that many rows."""
_STATUSES: Final = ("permanent-failure", "temporary-failure", "technical-failure", "validation-failed")
# by `str()`, a random id would say where a message lies; these repeat every few thousand messages
_KINDS: Final = 1_000

_COPY: Final = """
COPY notifications (id, "to", _personalisation, normalised_to, service_id, template_id, template_version, key_type,
                    notification_type, created_at, sent_at, sent_by, updated_at, billable_units, notification_status,
                    international, rate_multiplier, client_reference, job_id, job_row_number, created_by_id) FROM STDIN
"""
_HISTORY: Final = """
INSERT INTO notification_history (id, service_id, template_id, template_version, key_type, notification_type,
                                  created_at, sent_at, sent_by, updated_at, billable_units, notification_status,
                                  international, rate_multiplier)
SELECT gen_random_uuid(), %(service)s, %(template)s, 1, 'normal', %(type)s::notification_type, moment, moment,
       %(provider)s, moment, %(units)s, CASE WHEN n %% 50 = 0 THEN 'permanent-failure' ELSE 'delivered' END, false, 1
FROM generate_series(1, %(number)s) AS n,
     LATERAL (SELECT %(newest)s::timestamptz - n * %(span)s::interval / %(number)s AS moment) AS m
"""
_STATUS_FACTS: Final[LiteralString] = """
INSERT INTO ft_notification_status (bst_date, template_id, service_id, job_id, notification_type, key_type,
                                    notification_status, notification_count, created_at)
SELECT (created_at AT TIME ZONE 'Europe/London')::date AS day, template_id, service_id,
       '00000000-0000-0000-0000-000000000000', notification_type, key_type, notification_status, count(*), now()
FROM notification_history WHERE service_id = ANY(%s) GROUP BY 1, 2, 3, 5, 6, 7
ON CONFLICT DO NOTHING
"""
_BILLING_FACTS: Final[LiteralString] = """
INSERT INTO ft_billing (bst_date, template_id, service_id, notification_type, provider, rate_multiplier, international,
                        rate, postage, billable_units, notifications_sent, created_at)
SELECT (created_at AT TIME ZONE 'Europe/London')::date AS day, template_id, service_id, notification_type, sent_by,
       CASE notification_type WHEN 'sms' THEN 1 ELSE 0 END, false,
       CASE notification_type WHEN 'sms' THEN coalesce((
           SELECT rate FROM rates WHERE notification_type = 'sms' ORDER BY valid_from DESC LIMIT 1), 0) ELSE 0 END,
       'none', sum(billable_units), count(*), now()
FROM notification_history WHERE service_id = ANY(%s) GROUP BY 1, 2, 3, 4, 5
ON CONFLICT DO NOTHING
"""


@dataclass
class Source:
    """A service's messages of a type. `weight` is its relative number of messages."""

    service_id: UUID
    template_ids: Sequence[UUID]
    type: str
    created_by_id: UUID
    weight: float = 1.0
    made: int = 0
    in_jobs: int = 0
    jobs: list[_MadeJob] = field(default_factory=list)


@dataclass
class _MadeJob:
    id: UUID
    template_id: UUID
    began: datetime
    ended: datetime
    rows: int = 0


def fill_live(
    parts: Parts, sources: Sequence[Source], number: int, now: datetime, *, step: Callable[[int], object]
) -> None:
    """Store this many messages of the last week, half of them of jobs, and those jobs. `step` is called with the number
    of each transaction's messages.
    """
    expected = sum(source.weight for source in sources)
    shares = {id(source): int(number * source.weight / expected) for source in sources}
    for first in range(0, number, AT_A_TIME):
        places = range(first, min(first + AT_A_TIME, number))
        with parts.database.connection() as connection, connection.cursor().copy(_COPY) as copy:
            for row in _rows(parts, sources, shares, places, number, now):
                copy.write_row(row)
        step(len(places))
    with parts.database.transaction() as session:
        _store_jobs(session, sources)


def _rows(
    parts: Parts, sources: Sequence[Source], shares: dict[int, int], places: range, number: int, now: datetime
) -> Iterator[tuple[Any, ...]]:
    chance = random.Random(places.start)  # noqa: S311 -- no secret
    weights = list(accumulate(source.weight for source in sources))
    chosen = chance.choices(sources, cum_weights=weights, k=len(places))
    for place, source in zip(places, chosen, strict=True):
        moment = now - timedelta(days=DAYS) * ((number - place) / number)
        yield _row(parts, source, shares[id(source)], place, moment)


def _row(parts: Parts, source: Source, share: int, place: int, moment: datetime) -> tuple[Any, ...]:
    """A message. Its rare properties depend on its number in its service."""
    count, source.made = source.made, source.made + 1
    id_ = UUID(int=first_id(moment).int | (place % 4096) << 64 | place)
    job = _job_of(source, share, moment) if count % 2 else None
    kind = count % _KINDS
    status = "delivered" if kind % 25 else _STATUSES[kind // 25 % len(_STATUSES)]
    is_text, is_new = source.type == "sms", kind == _KINDS - 1
    to = f"07700{900_000 + place % 100_000}" if is_text else f"person.{place}@example.com"
    return (
        id_,
        parts.encryptor.encrypt(to, TO, id_),
        parts.encryptor.encrypt_json({"name": "Bulk"}, PERSONALISATION, id_),
        f"44{to[1:]}" if is_text else to,
        source.service_id,
        job.template_id if job else source.template_ids[count // 2 % len(source.template_ids)],
        1,
        "test" if kind in (10, 20) else "team" if kind == 30 else "normal",
        source.type,
        moment,
        None if is_new else moment,
        None if is_new else "mmg" if is_text else "ses",
        None if is_new else moment,
        int(is_text),
        "created" if is_new else status,
        False,
        1 if is_text else None,
        f"case-{place}" if kind % 4 == 0 else None,
        job.id if job else None,
        job.rows - 1 if job else None,
        source.created_by_id if job is None and kind % 50 == 2 else None,
    )


def _job_of(source: Source, share: int, moment: datetime) -> _MadeJob:
    """The job of a source's next row. Some jobs have the maximum size, if there are enough rows."""
    size = max(1, min(LARGEST_JOB, share // JOBS_AT_LEAST if len(source.jobs) > 1 else share // 4))
    if not source.jobs or source.jobs[-1].rows >= size:
        template_id = source.template_ids[len(source.jobs) % len(source.template_ids)]
        source.jobs.append(_MadeJob(new_public_id(), template_id, moment, moment))
    job = source.jobs[-1]
    job.rows, job.ended = job.rows + 1, moment
    return job


def _store_jobs(session: Session, sources: Sequence[Source]) -> None:
    rows = [
        {
            "id": job.id,
            "original_file_name": f"bulk {number}.csv",
            "service_id": source.service_id,
            "template_id": job.template_id,
            "template_version": 1,
            "created_at": job.began,
            "notification_count": job.rows,
            "processing_started": job.began,
            "processing_finished": job.ended,
            "created_by_id": source.created_by_id,
            "job_status": "finished all notifications created",
            "archived": True,  # there is no file
        }
        for source in sources
        for number, job in enumerate(source.jobs)
    ]
    if rows:
        session.execute(insert(Job), rows)


def fill_history(parts: Parts, source: Source, number: int, newest: datetime) -> None:
    """Store this many messages of a year in the history."""
    if not number:
        return
    values = {
        "service": source.service_id,
        "template": source.template_ids[0],
        "type": source.type,
        "provider": "mmg" if source.type == "sms" else "ses",
        "units": int(source.type == "sms"),
        "number": number,
        "newest": newest,
        "span": timedelta(days=HISTORY_DAYS),
    }
    with parts.database.connection() as connection:
        connection.execute(_HISTORY, values)


def store_facts(parts: Parts, sources: Sequence[Source], now: datetime) -> None:
    """Create the facts of all days before today, as the nightly tasks would have done."""
    ids = list({source.service_id for source in sources})
    with parts.database.connection() as connection:
        connection.execute(_STATUS_FACTS, (ids,))
        connection.execute(_BILLING_FACTS, (ids,))
    today = local_date(now)
    for days in range(1, DAYS + 1):
        day = today - timedelta(days=days)
        for type_ in sorted({source.type for source in sources}):
            for _ in store_statuses_of_day(parts.database, day, type_):
                pass
        for _ in store_billing_of_day(parts.database, day):
            pass


def end_of_history(now: datetime) -> datetime:
    """The newest time in the history: the start of the week of live messages."""
    return local_midnight(local_date(now)) - timedelta(days=DAYS + 1)
