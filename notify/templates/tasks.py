"""Celery tasks about templates: thin wrappers."""

from __future__ import annotations

from datetime import date

import structlog
from celery.schedules import crontab

from notify.infra.container import Container
from notify.infra.task_set import TaskSet
from notify.infra.times import utc_now
from notify.templates import email_files
from notify.templates.maintenance import FileRemover

logger = structlog.get_logger(__name__)

tasks = TaskSet()


@tasks.periodic("archive-pending-files", crontab(hour=3, minute=33))
def archive_pending_files(container: Container) -> None:
    """Archive files of email templates that have been pending for a day."""
    with container.parts.database.transaction() as session:
        number = email_files.archive_pending_files(session, now=utc_now())
    if number:
        logger.info("pending files archived", number=number)


@tasks.periodic("remove-archived-template-email-files-from-s3", crontab(hour=4, minute=40))
def remove_archived_files(container: Container, archived_after: str | None = None) -> None:
    """Delete files archived two weeks ago; or since `archived_after` (`YYYY-MM-DD`), if given."""
    since = None if archived_after is None else date.fromisoformat(archived_after)
    number = container.get(FileRemover).remove(now=utc_now(), archived_after=since)
    if number:
        logger.info("archived files deleted", number=number)
