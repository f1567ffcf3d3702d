"""Provides lower rooms with the status facts of jobs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.jobs.fact_counts import StatusFactOfJob, job_facts
from notify.reporting.models import StatusFact


@job_facts.register
def _facts_of_jobs(session: Session, job_ids: Collection[UUID]) -> Mapping[UUID, Sequence[StatusFactOfJob]]:
    facts = session.execute(
        select(StatusFact.job_id, StatusFact.notification_status, StatusFact.notification_count)
        .where(StatusFact.job_id.in_(job_ids))
        .order_by(StatusFact.job_id, StatusFact.notification_status, StatusFact.notification_count)
    )
    found: defaultdict[UUID, list[StatusFactOfJob]] = defaultdict(list)
    for job_id, status, number in facts:
        found[job_id].append(StatusFactOfJob(status, number))
    return found
