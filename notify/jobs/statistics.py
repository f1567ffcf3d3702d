"""How many messages of jobs are in which status (contract: internal-jobs 1.4)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final, Self
from uuid import UUID

from redis.client import Pipeline
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.infra.cache import Cache
from notify.infra.container import Container
from notify.jobs.models import Job
from notify.messages.models import Notification, NotificationHistory
from notify.messages.statuses import COMPLETED

CACHE_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class StatusCount:
    """How many messages are in a status."""

    status: str
    count: int


def count_of_job(session: Session, job_id: UUID) -> list[StatusCount]:
    """The numbers of one job, in alphabetical order: of its live messages, or, where there are none, of its history."""
    return _count(session, Notification, [job_id]).get(job_id) or _count(session, NotificationHistory, [job_id]).get(
        job_id, []
    )


def count_messages(session: Session, job_id: UUID) -> int:
    """How many live messages a job has."""
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


class JobStatistics:
    """The numbers of many jobs. Those that change no more are kept in the cache for a day."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        return cls(container.parts.cache)

    def of(self, session: Session, jobs: Iterable[Job]) -> Mapping[UUID, list[StatusCount]]:
        """The numbers by job; none for a job that was not started."""
        counts = {job.id: job.notification_count for job in jobs if job.processing_started is not None}
        found = self._cached(list(counts))
        unknown = [id_ for id_ in counts if id_ not in found]
        live = _count(session, Notification, unknown)
        old = _count(session, NotificationHistory, [id_ for id_ in unknown if id_ not in live])
        counted = live | old
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
