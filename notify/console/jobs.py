"""Jobs for the console: progress, and failed rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, true
from sqlalchemy.orm import Session

from notify.console.timeline import state_of
from notify.infra.times import format_datetime, format_optional
from notify.jobs.models import Job
from notify.jobs.statistics import JobStatistics, StatusCount
from notify.messages.models import Notification
from notify.services.models import Service
from notify.templates.models import Template
from notify.vocabulary import STATUSES

MOST: Final = 50
MOST_FAILED: Final = 20
"""Most failed rows shown of a job: the first ones."""
FAILED: Final = tuple(status for status in STATUSES if state_of(status) == "failed")


def list_jobs(session: Session, statistics: JobStatistics, service_id: UUID | None) -> list[dict[str, Any]]:
    """The newest jobs, of a service where one is given, at most `MOST`. Rows are counted from 1."""
    query = (
        select(Job, Service.name.label("service"), Template.name.label("template"), Template.template_type)
        .join(Service, Service.id == Job.service_id)
        .join(Template, Template.id == Job.template_id)
    )
    if service_id is not None:
        query = query.where(Job.service_id == service_id)
    rows = session.execute(query.order_by(Job.created_at.desc(), Job.id).limit(MOST)).all()
    jobs = [row.Job for row in rows]
    counts, failed = statistics.of(session, jobs), _failed(session, [job.id for job in jobs])
    return [
        {"service": row.service, "template": row.template, "type": row.template_type}
        | _describe(row.Job, counts.get(row.Job.id, ()), failed[row.Job.id])
        for row in rows
    ]


def _describe(job: Job, counts: Sequence[StatusCount], failed: list[dict[str, Any]]) -> dict[str, Any]:
    states: Counter[str] = Counter()
    for each in counts:
        states[state_of(each.status)] += each.count
    return {
        "id": job.id,
        "service_id": job.service_id,
        "file": job.original_file_name,
        "status": job.job_status,
        "rows": job.notification_count,
        "saved": states.total(),
        "states": dict(states),
        "statuses": {each.status: each.count for each in counts},
        "failed": failed,
        "created_at": format_datetime(job.created_at),
        "scheduled_for": format_optional(job.scheduled_for),
        "started_at": format_optional(job.processing_started),
        "finished_at": format_optional(job.processing_finished),
    }


def _failed(session: Session, job_ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    """The first failed rows of each job, by the index of its rows."""
    rows_of_job = (
        select(Notification.id, Notification.job_row_number, Notification.notification_status)
        .where(Notification.job_id == Job.id, Notification.notification_status.in_(FAILED))
        .order_by(Notification.job_row_number)
        .limit(MOST_FAILED)
        .lateral()
    )
    query = (
        select(
            Job.id.label("job_id"), rows_of_job.c.id, rows_of_job.c.job_row_number, rows_of_job.c.notification_status
        )
        .join(rows_of_job, true())
        .where(Job.id.in_(job_ids))
        .order_by(Job.id, rows_of_job.c.job_row_number)
    )
    found: dict[UUID, list[dict[str, Any]]] = defaultdict(list)
    for row in session.execute(query):
        found[row.job_id].append(
            {"id": row.id, "row": (row.job_row_number or 0) + 1, "status": row.notification_status}
        )
    return found
