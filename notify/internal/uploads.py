"""Uploads: jobs, and the uploaded letters of each print day (contract: internal-jobs 3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from flask import request
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from sqlalchemy.orm import Session

from notify.infra import paging
from notify.infra.container import Container
from notify.infra.errors import MalformedRequestError, PageNotFoundError
from notify.infra.paging import Page
from notify.infra.times import midnight_days_ago, utc_now
from notify.internal.jobs import StatusCountAnswer
from notify.internal.notifications import NotificationAnswer
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, FieldsQuery
from notify.jobs.models import Job
from notify.jobs.statistics import JobStatistics
from notify.jobs.uploads import Upload, page_of_letters, page_of_uploads

routes = Routes("uploads", "/service/<uuid:service_id>/upload")

SecondMoment = Annotated[
    datetime,
    PlainSerializer(lambda moment: moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"), return_type=str),
    WithJsonSchema({"type": "string", "description": "UTC: 2017-01-01 10:00:00"}, mode="serialization"),
]


def _page(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise PageNotFoundError from None


def _days(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None


PageNumber = Annotated[int, BeforeValidator(_page), WithJsonSchema({"type": "integer"})]
Days = Annotated[int | None, BeforeValidator(_days), WithJsonSchema({"type": "integer"})]


class UploadsQuery(FieldsQuery):
    """The page, and the number of days to list; ignored if it is not a number."""

    limit_days: Days = None
    page: PageNumber = 1


class LettersQuery(FieldsQuery):
    """The page to list."""

    page: PageNumber = 1


class UploadAnswer(Answer):
    """A job, or the uploaded letters of a print day, which have no id."""

    id: UUID | None
    original_file_name: str
    notification_count: int
    created_at: SecondMoment
    upload_type: str
    template_type: str
    recipient: str | None
    statistics: list[StatusCountAnswer]


class UploadsAnswer(Answer):
    """A page of uploads."""

    data: list[UploadAnswer]
    page_size: int
    total: int
    links: dict[str, str]


class LettersAnswer(Answer):
    """A page of uploaded letters."""

    notifications: list[NotificationAnswer]
    page_size: int
    total: int
    links: dict[str, str]


@routes.get("")
def list_uploads(session: Session, container: Container, service_id: UUID, query: UploadsQuery) -> UploadsAnswer:
    """List a service's uploads."""
    now = utc_now()
    since = None if query.limit_days is None else midnight_days_ago(now, query.limit_days)
    page = page_of_uploads(session, service_id, number=query.page, now=now, since=since)
    numbers = _statistics(session, container, page)
    data = [
        UploadAnswer(
            **{
                **row._asdict(),
                "recipient": None,
                "statistics": StatusCountAnswer.of_each(numbers.get(row.id, []) if row.id else []),
            }
        )
        for row in page.rows
    ]
    return UploadsAnswer(data=data, page_size=page.size, total=page.total, links=paging.links(page, request.path))


def _statistics(session: Session, container: Container, page: Page[Upload]) -> Mapping[UUID, Any]:
    jobs = [
        Job(id=row.id, notification_count=row.notification_count, processing_started=row.started_at)
        for row in page.rows
        if row.id is not None
    ]
    return container.get(JobStatistics).of(session, jobs)


@routes.get("/uploaded-letters/<letter_print_date>")
def list_uploaded_letters(
    session: Session, container: Container, service_id: UUID, letter_print_date: str, query: LettersQuery
) -> LettersAnswer:
    """List the uploaded letters of a print day."""
    try:
        day = datetime.strptime(letter_print_date, "%Y-%m-%d").date()
    except ValueError:
        raise MalformedRequestError from None
    page = page_of_letters(session, container.parts.encryptor, service_id, day, number=query.page)
    return LettersAnswer(
        notifications=NotificationAnswer.of_each(page.rows),
        page_size=page.size,
        total=page.total,
        links=paging.links(page, request.path),
    )
