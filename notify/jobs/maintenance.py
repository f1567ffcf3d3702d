"""Periodic work on jobs (contract: workers 12.4, 14.3): starts due ones, resumes stalled ones, creates messages of
missing rows, completes statuses, deletes files, also those without a row in the database.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, select, update
from sqlalchemy.orm import Session

from notify.infra.database import Database
from notify.infra.times import local_midnight
from notify.jobs.files import JobFiles, UploadKey
from notify.jobs.models import ContactList, Job, file_time
from notify.jobs.retention import kept_since
from notify.messages.models import Notification, NotificationHistory
from notify.templates.models import Template

UNPUBLISHED_AFTER: Final = timedelta(minutes=5)
"""The broker may have lost a job that has been pending for this long."""
SOON: Final = timedelta(minutes=1)
LATER: Final = timedelta(minutes=20)
LATEST: Final = timedelta(hours=24)
FILES_AT_A_TIME: Final = 200
UNUSED_AFTER: Final = timedelta(days=7)
"""An upload that was not used for a job or a contact list by then is deleted."""
UNDER_WAY: Final = ("pending", "scheduled", "in progress", "error")
"""Statuses of jobs whose files are still needed."""


class DueJob(NamedTuple):
    """A job to publish."""

    id: UUID
    service_id: UUID


def start_due(session: Session, now: datetime) -> list[DueJob]:
    """Make due scheduled jobs pending. Publish them after the commit."""
    due = (
        select(Job.id)
        .where(Job.job_status == "scheduled", Job.scheduled_for < now)
        .order_by(Job.scheduled_for)
        .with_for_update(skip_locked=True)
    )
    rows = session.execute(
        update(Job)
        .where(Job.id.in_(due))
        .values(job_status="pending", updated_at=now)
        .returning(Job.id, Job.service_id)
        .execution_options(synchronize_session=False)
    )
    return [DueJob(*row) for row in rows]


def find_unpublished(session: Session, now: datetime) -> list[DueJob]:
    """Jobs that have been pending for too long, oldest first."""
    since = func.coalesce(Job.updated_at, Job.created_at)
    rows = session.execute(
        select(Job.id, Job.service_id)
        .where(Job.job_status == "pending", since < now - UNPUBLISHED_AFTER)
        .order_by(Job.created_at)
    )
    return [DueJob(*row) for row in rows]


def find_stalled(session: Session, now: datetime, after: timedelta) -> list[UUID]:
    """Jobs in progress that have saved no rows for this time, because they have lost their worker. Oldest first."""
    moved = func.coalesce(Job.progressed_at, Job.processing_started)
    stalled = and_(Job.job_status == "in progress", moved < now - after)
    return list(session.scalars(select(Job.id).where(stalled).order_by(Job.processing_started)))


def _finished(now: datetime, after: timedelta, before: timedelta) -> ColumnElement[bool]:
    return and_(Job.job_status == "finished", Job.processing_finished.between(now - before, now - after))


def _messages() -> Any:
    """SQL: the number of a job's messages, including those in the history."""
    live, archived = (
        select(func.count()).where(table.job_id == Job.id).correlate(Job).scalar_subquery()
        for table in (Notification, NotificationHistory)
    )
    return live + archived


def complete(session: Session, now: datetime, *, after: timedelta = SOON, before: timedelta = LATER) -> int:
    """Set the final status of finished jobs that have all their messages. Returns their number."""
    completed = session.execute(
        update(Job)
        .where(_finished(now, after, before), _messages() == Job.notification_count)
        .values(job_status="finished all notifications created", updated_at=now)
        .returning(Job.id)
        .execution_options(synchronize_session=False)
    )
    return len(completed.all())


def find_incomplete(session: Session, now: datetime) -> list[DueJob]:
    """Jobs that finished between 20 minutes and a day ago but lack some of their messages."""
    number = _messages()
    rows = session.execute(
        select(Job.id, Job.service_id)
        .where(_finished(now, LATER, LATEST), number > 0, number < Job.notification_count)
        .order_by(Job.processing_finished)
    )
    return [DueJob(*row) for row in rows]


def archive_created_between(database: Database, files: JobFiles, first: date, last: date) -> int:
    """Mark the jobs created on these local days as archived, and delete the files of those that are done. Returns their
    number.
    """
    with database.transaction() as session:
        archived = session.execute(
            update(Job)
            .where(
                Job.created_at >= local_midnight(first),
                Job.created_at < local_midnight(last + timedelta(days=1)),
                ~Job.archived,
            )
            .values(archived=True)
            .returning(Job.id, Job.service_id, Job.job_status)
            .execution_options(synchronize_session=False)
        ).all()
    for row in archived:
        if row.job_status not in UNDER_WAY:
            files.delete(row.service_id, row.id)
    return len(archived)


def delete_old_files(database: Database, files: JobFiles, types: Collection[str], now: datetime) -> int:
    """Delete the files of jobs of these types after their retention period, and mark the jobs as archived. Returns
    their number.
    """
    old = (
        select(Job.id, Job.service_id)
        .join(Template, Template.id == Job.template_id)
        .where(
            ~Job.archived,
            Template.template_type.in_(types),
            file_time() < kept_since(now, Job.service_id, Template.template_type),
        )
        .order_by(file_time())
        .limit(FILES_AT_A_TIME)
    )
    number = 0
    while True:
        with database.transaction() as session:
            rows = [DueJob(*row) for row in session.execute(old)]
            for row in rows:
                files.delete(row.service_id, row.id)
            session.execute(update(Job).where(Job.id.in_([row.id for row in rows])).values(archived=True))
        number += len(rows)
        if len(rows) < FILES_AT_A_TIME:
            return number


def delete_unused_files(database: Database, files: JobFiles, now: datetime) -> int:
    """Delete old files without a job or contact list (the user left the page, or a process died between the file and
    its row); returns how many.
    """
    before = now - UNUSED_AFTER
    jobs = select(Job.id).where(~Job.archived | Job.job_status.in_(UNDER_WAY))
    lists = select(ContactList.id).where(~ContactList.archived)
    return _delete_unused(database, files.written_before(before), jobs, Job.id, files.delete) + _delete_unused(
        database, files.contact_lists_written_before(before), lists, ContactList.id, files.delete_contact_list
    )


def _delete_unused(
    database: Database,
    found: Iterator[UploadKey],
    used: Select[UUID],
    column: Any,
    delete: Callable[[UUID, UUID], None],
) -> int:
    number = 0
    while keys := list(islice(found, FILES_AT_A_TIME)):
        with database.session() as session:
            kept = set(session.scalars(used.where(column.in_([key.id for key in keys]))))
        for key in keys:
            if key.id not in kept:
                delete(key.service_id, key.id)
                number += 1
    return number
