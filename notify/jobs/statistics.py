"""Counts the messages of jobs by status (contract: internal-jobs 1.4)."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final, Self
from uuid import UUID

from redis.client import Pipeline
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.infra.cache import Cache
from notify.infra.container import Container
from notify.infra.times import midnight_days_ago, utc_now
from notify.jobs.fact_counts import job_facts
from notify.jobs.models import Job
from notify.messages.models import Notification, NotificationHistory
from notify.messages.statuses import COMPLETED

CACHE_SECONDS: Final = 86_400
DAYS_OF_MESSAGES: Final = 3
"""Jobs that started at most this many days before today are counted by messages first: facts are made nightly."""


@dataclass(frozen=True, slots=True)
class StatusCount:
    """The number of messages in a status."""

    status: str
    count: int


def count_of_job(session: Session, job_id: UUID) -> list[StatusCount]:
    """The counts of one job, in alphabetical order: of its live messages; if there are none, one for each of its facts
    (so a status may occur twice); else of its history.
    """
    if live := _count(session, Notification, [job_id]).get(job_id):
        return live
    if facts := job_facts.of(session, [job_id]).get(job_id):
        return [StatusCount(fact.status, fact.number) for fact in facts]
    return _count(session, NotificationHistory, [job_id]).get(job_id, [])


def count_messages(session: Session, job_id: UUID) -> int:
    """The number of a job's live messages."""
    return session.scalar(select(func.count()).where(Notification.job_id == job_id)) or 0


def _count(
    session: Session, table: type[Notification] | type[NotificationHistory], job_ids: Sequence[UUID]
) -> dict[UUID, list[StatusCount]]:
    if not job_ids:
        return {}
    rows = session.execute(
        select(table.job_id, table.notification_status, func.count())
        .where(table.job_id.in_(job_ids))
        .group_by(table.job_id, table.notification_status)
        .order_by(table.notification_status)
    )
    found: defaultdict[UUID, list[StatusCount]] = defaultdict(list)
    for job_id, status, count in rows:
        if job_id is not None:
            found[job_id].append(StatusCount(status, count))
    return dict(found)


def _facts(session: Session, job_ids: Sequence[UUID]) -> dict[UUID, list[StatusCount]]:
    """The facts of jobs, summed by status."""
    found = {}
    for job_id, facts in job_facts.of(session, job_ids).items():
        sums: Counter[str] = Counter()
        for fact in facts:
            sums[fact.status] += fact.number
        found[job_id] = [StatusCount(status, number) for status, number in sorted(sums.items())]
    return found


class JobStatistics:
    """The counts of many jobs. Final ones are cached for a day."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.cache)

    def of(self, session: Session, jobs: Sequence[Job]) -> Mapping[UUID, list[StatusCount]]:
        """The counts by job; none for a job that has not started. For a job that started before the last days, they
        come from facts, if it has any; else from messages.
        """
        started = {job.id: job.processing_started for job in jobs if job.processing_started is not None}
        counts = {job.id: job.notification_count for job in jobs if job.id in started}
        found = self._cached(list(counts))
        unknown = [id_ for id_ in counts if id_ not in found]
        before = midnight_days_ago(utc_now(), DAYS_OF_MESSAGES)
        counted = _facts(session, [id_ for id_ in unknown if started[id_] < before])
        for look in (
            partial(_count, session, Notification),
            partial(_facts, session),
            partial(_count, session, NotificationHistory),
        ):
            counted |= look([id_ for id_ in unknown if id_ not in counted])
        self._keep({id_: each for id_, each in counted.items() if _is_final(each, counts[id_])})
        return found | counted

    def _cached(self, ids: Sequence[UUID]) -> dict[UUID, list[StatusCount]]:
        if not ids:
            return {}

        def fill(pipeline: Pipeline) -> None:
            for id_ in ids:
                pipeline.get(_key(id_))

        values = self._cache.pipeline("job statistics", fill) or []
        pairs = ((id_, json.loads(value)) for id_, value in zip(ids, values, strict=False) if value)
        return {id_: [StatusCount(each["status"], each["count"]) for each in known] for id_, known in pairs}

    def _keep(self, final: Mapping[UUID, Sequence[StatusCount]]) -> None:
        for id_, counts in final.items():
            self._cache.set(_key(id_), json.dumps([asdict(each) for each in counts]), seconds=CACHE_SECONDS)


def _is_final(counts: Sequence[StatusCount], expected: int) -> bool:
    return sum(each.count for each in counts) == expected and all(each.status in COMPLETED for each in counts)


def _key(job_id: UUID) -> str:
    return f"job-{job_id}-notification-outcomes"
