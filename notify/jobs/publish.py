"""Names of the tasks of jobs and reports, and functions that publish them."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from notify import queues
from notify.infra.queue import Queue, TaskName

PROCESS_JOB: Final = TaskName("process-job")
PROCESS_INCOMPLETE_JOBS: Final = TaskName("process-incomplete-jobs")
PROCESS_MISSING_ROWS: Final = TaskName("process-missing-rows")
PROCESS_REPORT_REQUEST: Final = TaskName("process-report-request")


def publish_job(queue: Queue, job_id: UUID, service_id: UUID) -> bool:
    """Publish the task that processes a job. False if the broker is down: then it is published later."""
    return queue.publish(PROCESS_JOB, [str(job_id)], queue=queues.JOBS, group=str(service_id))


def publish_report(queue: Queue, service_id: UUID, report_request_id: UUID) -> bool:
    """Publish the task that creates a report. False if the broker is down."""
    arguments = [str(service_id), str(report_request_id)]
    return queue.publish(PROCESS_REPORT_REQUEST, arguments, queue=queues.REPORT_REQUESTS, group=str(service_id))
