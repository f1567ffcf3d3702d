"""Celery tasks about jobs and reports: thin wrappers."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog
from celery.schedules import crontab

from notify import queues
from notify.infra.container import Container
from notify.infra.task_set import TaskSet
from notify.infra.times import utc_now
from notify.jobs import maintenance, report_requests
from notify.jobs.files import JobFiles
from notify.jobs.process import JobProcessor
from notify.jobs.publish import (
    PROCESS_INCOMPLETE_JOBS,
    PROCESS_JOB,
    PROCESS_MISSING_ROWS,
    PROCESS_REPORT_REQUEST,
    publish_job,
)
from notify.jobs.reports import ReportWriter
from notify.jobs.settings import JobSettings

logger = structlog.get_logger(__name__)

tasks = TaskSet()


@tasks.task(PROCESS_JOB)
def process_job(
    container: Container, job_id: str, sender_id: str | None = None, shatter_batch_size: int | None = None
) -> None:
    """Create the messages of a job. The sender is in the metadata of its file."""
    del sender_id, shatter_batch_size
    container.get(JobProcessor).process(UUID(job_id))


@tasks.task(PROCESS_INCOMPLETE_JOBS)
def process_incomplete_jobs(
    container: Container, job_ids: Sequence[str], shatter_batch_size: int | None = None
) -> None:
    """Continue jobs whose workers are gone."""
    del shatter_batch_size
    for job_id in job_ids:
        container.get(JobProcessor).resume(UUID(job_id))


@tasks.task(PROCESS_MISSING_ROWS)
def process_missing_rows(container: Container, job_id: str) -> None:
    """Create the missing messages of a finished job."""
    container.get(JobProcessor).process_missing(UUID(job_id))


@tasks.task(PROCESS_REPORT_REQUEST)
def process_report_request(container: Container, service_id: str, report_request_id: str) -> None:
    """Write the file of a report."""
    container.get(ReportWriter).process(UUID(service_id), UUID(report_request_id))


@tasks.periodic("run-scheduled-jobs", crontab(minute="0,15,30,45"), expires=15 * 60)
def run_scheduled_jobs(container: Container) -> None:
    """Start due jobs (contract: workers 12.4)."""
    parts = container.parts
    with parts.database.transaction() as session:
        due = maintenance.start_due(session, utc_now())
    for job in due:
        publish_job(parts.queue, job.id, job.service_id)


@tasks.periodic("run-scheduled-jobs-between", crontab(), expires=60)
def run_scheduled_jobs_between(container: Container) -> None:
    """Start due jobs between the quarter hours too: the public API can schedule jobs for any minute."""
    run_scheduled_jobs(container)


@tasks.periodic("check-job-status", crontab(), expires=60)
def check_job_status(container: Container) -> None:
    """Publish jobs again that have lost their worker or their task."""
    parts, now = container.parts, utc_now()
    with parts.database.reading() as session:
        stalled = maintenance.find_stalled(session, now, parts.settings.part(JobSettings).job_stalled_after)
        unpublished = maintenance.find_unpublished(session, now)
    if stalled:
        logger.warning("jobs have lost their worker", jobs=stalled)
        parts.queue.publish(PROCESS_INCOMPLETE_JOBS, [[str(id_) for id_ in stalled]], queue=queues.JOBS)
    for job in unpublished:
        publish_job(parts.queue, job.id, job.service_id)


@tasks.periodic("update-status-of-fully-processed-jobs", crontab(), expires=60)
def update_status_of_fully_processed_jobs(container: Container) -> None:
    """Set the final status of jobs that have all their messages."""
    with container.parts.database.transaction() as session:
        maintenance.complete(session, utc_now())


@tasks.periodic("check-for-missing-rows-in-completed-jobs", crontab(minute="*/10"), expires=600)
def check_for_missing_rows_in_completed_jobs(container: Container) -> None:
    """Set the final status of older jobs, and publish those with missing rows."""
    parts, now = container.parts, utc_now()
    with parts.database.transaction() as session:
        maintenance.complete(session, now, after=maintenance.LATER, before=maintenance.LATEST)
        incomplete = maintenance.find_incomplete(session, now)
    for job in incomplete:
        group = str(job.service_id)
        parts.queue.publish(PROCESS_MISSING_ROWS, [str(job.id)], queue=queues.JOBS, group=group)


@tasks.periodic("remove_sms_email_jobs", crontab(hour=4, minute=0))
def remove_sms_email_jobs(container: Container) -> None:
    """Delete the files of jobs of texts and emails after their retention period."""
    files = container.get(JobFiles)
    number = maintenance.delete_old_files(container.parts.database, files, ("sms", "email"), utc_now())
    logger.info("files of jobs deleted", number=number)


@tasks.periodic("remove_letter_jobs", crontab(hour=4, minute=20))
def remove_letter_jobs(container: Container) -> None:
    """Delete the files of jobs of letters after their retention period."""
    number = maintenance.delete_old_files(container.parts.database, container.get(JobFiles), ("letter",), utc_now())
    logger.info("files of letter jobs deleted", number=number)


@tasks.periodic("delete-unused-job-files", crontab(hour=4, minute=10))
def delete_unused_job_files(container: Container) -> None:
    """Delete uploaded files that were never used for a job or a contact list."""
    number = maintenance.delete_unused_files(container.parts.database, container.get(JobFiles), utc_now())
    logger.info("unused files deleted", number=number)


@tasks.periodic("update-report-status-to-deleted", crontab(hour=2, minute=0))
def update_report_status_to_deleted(container: Container) -> None:
    """Delete the files of reports that are a day old."""
    with container.parts.database.transaction() as session:
        gone = report_requests.mark_deleted(session, utc_now())
    for request_id in gone:
        container.get(ReportWriter).delete(request_id)
