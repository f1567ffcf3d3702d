"""Jobs: messages to the recipients in a spreadsheet (contract: internal-jobs 1)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from flask import request
from pydantic import MISSING, BeforeValidator, Field, WithJsonSchema
from sqlalchemy.orm import Session

from notify.infra import paging
from notify.infra.container import Container
from notify.infra.database import after_commit
from notify.infra.paging import PAGE_SIZE
from notify.infra.replica import BulkSession
from notify.infra.times import midnight_days_ago, utc_now
from notify.infra.validation import complain, shown
from notify.internal.fields import IntText, Moment, Uuid, ZonedMoment
from notify.internal.notifications import CsvRowAnswer, NotificationAnswer, PositiveInt, Types
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Data, Fields, FieldsQuery
from notify.jobs import actions, queries
from notify.jobs.files import JobFiles
from notify.jobs.publish import publish_job
from notify.jobs.queries import JobDetails
from notify.jobs.statistics import JobStatistics, StatusCount, count_messages, count_of_job
from notify.messages.csv_rows import csv_row
from notify.services.limits import RateLimiter

routes = Routes("jobs", "/service/<uuid:service_id>/job")


def _days(value: object) -> object:
    try:
        return int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise complain(f"{shown(value)} is not an integer") from None


Days = Annotated[int, BeforeValidator(_days), WithJsonSchema({"type": "integer"})]


class ListQuery(FieldsQuery):
    """Filters and page of the list of jobs."""

    limit_days: Days | None = None
    statuses: str = ""
    page: IntText = 1
    contact_list_id: Uuid | None = None


class NewJob(Fields):
    """A job to create. The metadata of its file takes precedence, and is checked together with this."""

    id: Any = MISSING
    created_by: Any = MISSING
    scheduled_for: Any = MISSING
    contact_list_id: Any = MISSING
    original_file_name: Any = MISSING
    notification_count: Any = MISSING
    template_id: Any = MISSING
    valid: Any = MISSING
    sender_id: Any = MISSING


class MessagesQuery(FieldsQuery):
    """Filters and page of a job's messages. `format_for_csv` is on for any value except an empty one."""

    status: list[str] = Field(default_factory=list)
    template_type: Types = Field(default_factory=list)
    page: PositiveInt = 1
    page_size: PositiveInt = PAGE_SIZE
    format_for_csv: str = ""


class CreatorAnswer(Answer):
    """Who created a job."""

    id: UUID | None
    name: str | None


class NameAnswer(Answer):
    """A name."""

    name: str


class StatusCountAnswer(Answer):
    """How many messages are in a status."""

    status: str
    count: int


class JobAnswer(Answer):
    """A job."""

    id: UUID
    original_file_name: str
    service: UUID
    service_name: NameAnswer
    template: UUID
    template_name: str
    template_type: str
    template_version: int
    created_at: Moment
    updated_at: Moment | None
    processing_started: Moment | None
    processing_finished: Moment | None
    scheduled_for: Moment | None
    notification_count: int
    created_by: CreatorAnswer
    job_status: str
    archived: bool
    contact_list_id: UUID | None
    statistics: list[StatusCountAnswer]

    @classmethod
    def about(cls, details: JobDetails, statistics: list[StatusCount]) -> JobAnswer:
        """The answer about a job."""
        job = details.job
        return cls(
            id=job.id,
            original_file_name=job.original_file_name,
            service=job.service_id,
            service_name=NameAnswer(name=details.service_name),
            template=job.template_id,
            template_name=details.template_name,
            template_type=details.template_type,
            template_version=job.template_version,
            created_at=job.created_at,
            updated_at=job.updated_at,
            processing_started=job.processing_started,
            processing_finished=job.processing_finished,
            scheduled_for=job.scheduled_for,
            notification_count=job.notification_count,
            created_by=CreatorAnswer(id=job.created_by_id, name=details.created_by_name),
            job_status=job.job_status,
            archived=job.archived,
            contact_list_id=job.contact_list_id,
            statistics=StatusCountAnswer.of_each(statistics),
        )


class JobsAnswer(Answer):
    """A page of jobs."""

    data: list[JobAnswer]
    page_size: int
    total: int
    links: dict[str, str]


class CountAnswer(Answer):
    """A number."""

    count: int


class ScheduledAnswer(Answer):
    """The scheduled jobs of a service."""

    count: int
    soonest_scheduled_for: ZonedMoment | None


class MessagesAnswer(Answer):
    """A page of a job's messages."""

    notifications: list[NotificationAnswer] | list[CsvRowAnswer]
    page_size: int
    total: int
    links: dict[str, str]


@routes.get("")
def list_jobs(session: Session, container: Container, service_id: UUID, query: ListQuery) -> JobsAnswer:
    """List a service's jobs."""
    statuses = [status.strip() for status in query.statuses.split(",")] if query.statuses else None
    page = queries.page_of_jobs(
        session,
        service_id,
        number=query.page,
        since=None if query.limit_days is None else midnight_days_ago(utc_now(), query.limit_days),
        statuses=statuses,
        contact_list_id=query.contact_list_id,
    )
    numbers = container.get(JobStatistics).of(session, [row.job for row in page.rows])
    return JobsAnswer(
        data=[JobAnswer.about(row, numbers.get(row.job.id, [])) for row in page.rows],
        page_size=page.size,
        total=page.total,
        links=paging.links(page, request.path),
    )


@routes.post("", status=201)
def create_job(session: Session, container: Container, service_id: UUID, body: NewJob) -> Data[JobAnswer]:
    """Create a job from an uploaded file, for now or for later."""
    job = actions.create_job(session, container.get(JobFiles), service_id, body.given(), utc_now())
    if job.job_status == "pending":
        after_commit(session, lambda: publish_job(container.parts.queue, job.id, service_id))
    return Data(data=JobAnswer.about(queries.get_job(session, service_id, job.id), []))


@routes.get("/scheduled-job-stats")
def count_scheduled_jobs(session: BulkSession, service_id: UUID) -> ScheduledAnswer:
    """Count a service's scheduled jobs."""
    return ScheduledAnswer.of(queries.count_scheduled(session, service_id))


@routes.get("/<job_id>")
def get_job(session: Session, service_id: UUID, job_id: UUID) -> Data[JobAnswer]:
    """Get a job."""
    details = queries.get_job(session, service_id, job_id)
    return Data(data=JobAnswer.about(details, count_of_job(session, job_id)))


@routes.post("/<job_id>/cancel")
def cancel_job(session: Session, service_id: UUID, job_id: UUID) -> Data[JobAnswer]:
    """Cancel a scheduled job."""
    actions.cancel_job(session, service_id, job_id, utc_now())
    return Data(data=JobAnswer.about(queries.get_job(session, service_id, job_id), []))


@routes.post("/<job_id>/cancel-letter-job")
def cancel_letter_job(session: Session, container: Container, service_id: UUID, job_id: UUID) -> int:
    """Cancel the letters of a job and return their number."""
    number, uncounted = actions.cancel_letter_job(session, service_id, job_id, utc_now())
    after_commit(session, lambda: container.get(RateLimiter).give_back(uncounted))
    return number


@routes.get("/<job_id>/notifications")
def list_messages(
    session: BulkSession, container: Container, service_id: UUID, job_id: UUID, query: MessagesQuery
) -> MessagesAnswer:
    """List the messages of a job in the order of its rows."""
    page = queries.page_of_messages(
        session,
        container.parts.encryptor,
        service_id,
        job_id,
        statuses=query.status,
        types=[entry.template_type for entry in query.template_type],
        number=query.page,
        size=query.page_size,
    )
    if query.format_for_csv:
        rows: Any = CsvRowAnswer.of_each(map(csv_row, page.rows))
    else:
        rows = NotificationAnswer.of_each(page.rows)
    first_values = request.args.items()
    return MessagesAnswer(
        notifications=rows,
        page_size=page.size,
        total=page.total,
        links=paging.links(page, request.path, first_values),
    )


@routes.get("/<job_id>/notification_count")
def count_notifications(session: Session, service_id: UUID, job_id: UUID) -> CountAnswer:
    """Count the messages of a job."""
    queries.get_job(session, service_id, job_id)
    return CountAnswer(count=count_messages(session, job_id))
