"""Uploads as the admin app lists them: jobs, and letters uploaded as PDFs (contract: internal-jobs 3)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Date, Select, Text, cast, func, literal, null, select, text, union_all
from sqlalchemy.orm import Session

from notify.infra.paging import Page, page_of
from notify.infra.secrets import Encryptor
from notify.infra.times import LONDON
from notify.jobs.models import Job
from notify.jobs.queries import UNLISTED
from notify.jobs.retention import kept_since
from notify.messages.details import MessageDetails, read_details
from notify.messages.models import Notification
from notify.templates.models import Template
from notify.vocabulary import STATUSES

DEADLINE: Final = time(17, 30)
"""Local time at which the letters of a day are sent to the print provider."""
_UNTIL_MIDNIGHT: Final = text("interval '6 hours 30 minutes'")


class Upload(NamedTuple):
    """A job, or the uploaded letters of a print day, which have no id."""

    id: UUID | None
    original_file_name: str
    notification_count: int
    created_at: datetime
    upload_type: str
    template_type: str
    started_at: datetime | None


def page_of_uploads(
    session: Session, service_id: UUID, *, number: int, now: datetime, since: datetime | None = None
) -> Page[Upload]:
    """A page of a service's uploads: those not started first, then the latest. Raises `PageNotFoundError`."""
    listed = union_all(_jobs(service_id, now, since), _letter_days(service_id, now, since)).subquery()
    query = select(
        listed.c.id,
        listed.c.original_file_name,
        listed.c.notification_count,
        listed.c.created_at,
        listed.c.upload_type,
        listed.c.template_type,
        listed.c.started_at,
    ).order_by(listed.c.started_at.desc().nulls_first(), listed.c.created_at.desc(), listed.c.id)
    return page_of(session, query, number).of(lambda row: Upload(*row))


def _jobs(service_id: UUID, now: datetime, since: datetime | None) -> Select[*tuple[Any, ...]]:
    query = (
        select(
            Job.id.label("id"),
            Job.original_file_name.label("original_file_name"),
            Job.notification_count.label("notification_count"),
            func.coalesce(Job.scheduled_for, Job.created_at).label("created_at"),
            literal("job").label("upload_type"),
            cast(Template.template_type, Text).label("template_type"),
            Job.processing_started.label("started_at"),
        )
        .join(Template, Template.id == Job.template_id)
        .where(
            Job.service_id == service_id,
            Job.job_status.not_in(("cancelled", "scheduled")),
            Job.original_file_name.not_in(UNLISTED),
            Job.contact_list_id.is_(None),
            func.coalesce(Job.processing_started, Job.created_at)
            >= kept_since(now, Job.service_id, Template.template_type),
        )
    )
    return query if since is None else query.where(Job.created_at >= since)


def _uploaded_letters(service_id: UUID) -> Select[*tuple[Any, ...]]:
    """Letters that people uploaded, by the index of lists."""
    return (
        select(Notification.id, Notification.created_at)
        .join(Template, Template.id == Notification.template_id)
        .where(
            Notification.service_id == service_id,
            Notification.key_type == "normal",
            Notification.notification_type == "letter",
            Notification.notification_status.in_([status for status in STATUSES if status != "cancelled"]),
            text("(notifications.job_id IS NOT NULL) = false"),
            Notification.api_key_id.is_(None),
            Template.hidden,
        )
    )


def _letter_days(service_id: UUID, now: datetime, since: datetime | None) -> Select[*tuple[Any, ...]]:
    letters = _uploaded_letters(service_id).where(
        Notification.created_at >= kept_since(now, literal(service_id), literal("letter"))
    )
    if since is not None:
        letters = letters.where(Notification.created_at >= since)
    found = letters.subquery()
    # add to local time, so that a clock change does not move the deadline
    day = cast(func.timezone("Europe/London", found.c.created_at) + _UNTIL_MIDNIGHT, Date)
    days = select(day.label("day"), func.count().label("number")).group_by(day).subquery()
    printed_at = func.timezone("Europe/London", days.c.day + text("time '17:30'"))
    return select(
        cast(null(), Job.id.type).label("id"),
        literal("Uploaded letters").label("original_file_name"),
        days.c.number.label("notification_count"),
        printed_at.label("created_at"),
        literal("letter_day").label("upload_type"),
        literal("letter").label("template_type"),
        printed_at.label("started_at"),
    )


def page_of_letters(
    session: Session, encryptor: Encryptor, service_id: UUID, day: date, *, number: int
) -> Page[MessageDetails]:
    """A page of the uploaded letters of a print day, newest first. Raises `PageNotFoundError`."""
    begin = _deadline(day - timedelta(days=1)) if day > date.min else datetime.min.replace(tzinfo=LONDON)
    letters = (
        _uploaded_letters(service_id)
        .where(Notification.created_at >= begin, Notification.created_at < _deadline(day))
        .order_by(Notification.created_at.desc(), Notification.id.desc())
    )
    page = page_of(session, letters, number)
    found = read_details(session, encryptor, [row.id for row in page.rows])
    return Page(found, page.number, page.size, page.total)


def _deadline(day: date) -> datetime:
    return datetime.combine(day, DEADLINE, LONDON)
