"""Queries for jobs and their messages (contract: internal-jobs 1.5)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.infra.errors import NotFoundProblemError, PageNotFoundError
from notify.infra.paging import Page, page_of
from notify.infra.secrets import Encryptor
from notify.jobs.models import Job
from notify.messages.details import MessageDetails, read_details
from notify.messages.models import Notification
from notify.messages.statuses import filter_statuses
from notify.services.models import Service
from notify.templates.models import Template

UNLISTED: Final = ("Test message", "Report")
"""Names of files that lists exclude."""


class JobDetails(NamedTuple):
    """A job, with the current names of its service, template and creator."""

    job: Job
    service_name: str
    template_name: str
    template_type: str
    created_by_name: str | None


@dataclass(frozen=True, slots=True)
class ScheduledJobs:
    """The number of a service's scheduled jobs, and when the first is due."""

    count: int
    soonest_scheduled_for: datetime | None


def _jobs(service_id: UUID) -> Select[*tuple[Any, ...]]:
    return (
        select(Job, Service.name, Template.name, Template.template_type, User.name)
        .join(Service, Service.id == Job.service_id)
        .join(Template, Template.id == Job.template_id)
        .outerjoin(User, User.id == Job.created_by_id)
        .where(Job.service_id == service_id)
    )


def get_job(session: Session, service_id: UUID, job_id: UUID) -> JobDetails:
    """A service's job. Raises `NotFoundProblemError`."""
    row = session.execute(_jobs(service_id).where(Job.id == job_id)).one_or_none()
    if row is None:
        raise NotFoundProblemError
    return JobDetails(*row)


def page_of_jobs(
    session: Session,
    service_id: UUID,
    *,
    number: int,
    since: datetime | None = None,
    statuses: Collection[str] | None = None,
    contact_list_id: UUID | None = None,
) -> Page[JobDetails]:
    """A page of a service's jobs: those not started first, then the latest started. Empty for an unknown service.

    Raises `PageNotFoundError`.
    """
    query = _jobs(service_id).where(Job.original_file_name.not_in(UNLISTED))
    if since is not None:
        query = query.where(Job.created_at >= since)
    if statuses is not None:
        query = query.where(Job.job_status.in_(statuses))
    if contact_list_id is not None:
        query = query.where(Job.contact_list_id == contact_list_id)
    order = (Job.processing_started.desc().nulls_first(), Job.created_at.desc(), Job.id)
    page = page_of(session, query.order_by(*order), number)
    return page.of(lambda row: JobDetails(*row))


def count_scheduled(session: Session, service_id: UUID) -> ScheduledJobs:
    """The scheduled jobs of a service, including those already due."""
    row = session.execute(
        select(func.count(), func.min(Job.scheduled_for)).where(
            Job.service_id == service_id, Job.job_status == "scheduled"
        )
    ).one()
    return ScheduledJobs(*row)


def messages_of_job(job_id: UUID, statuses: Collection[str]) -> Select[UUID]:
    """The ids of a job's messages: by nothing but the job and the status, so that an index alone counts them."""
    query = select(Notification.id).where(Notification.job_id == job_id)
    wanted = filter_statuses(statuses)
    return query if wanted is None else query.where(Notification.notification_status.in_(sorted(wanted)))


def page_of_messages(
    session: Session,
    encryptor: Encryptor,
    service_id: UUID,
    job_id: UUID,
    *,
    statuses: Collection[str],
    types: Collection[str],
    number: int,
    size: int,
) -> Page[MessageDetails]:
    """A page of a job's messages, in the order of its rows; an empty one of another service's job. Raises
    `PageNotFoundError`.
    """
    job = select(Template.template_type).join(Job, Job.template_id == Template.id)
    kind = session.scalar(job.where(Job.id == job_id, Job.service_id == service_id))
    if kind is None or (types and kind not in types):
        if number > 1:
            raise PageNotFoundError
        return Page([], number, size, 0)
    query = messages_of_job(job_id, statuses)
    page = page_of(session, query.order_by(Notification.job_row_number), number, size)
    found = {message.id: message for message in read_details(session, encryptor, list(page.rows))}
    return Page([found[id_] for id_ in page.rows if id_ in found], page.number, page.size, page.total)


def file_names(session: Session, job_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of jobs' files, by job."""
    rows = session.execute(select(Job.id, Job.original_file_name).where(Job.id.in_(job_ids)))
    return {row.id: row.original_file_name for row in rows}
