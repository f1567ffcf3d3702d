"""A job of many rows while its workers are killed: every row becomes one message, with its own recipient."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import psycopg

from notify import queues, settings
from notify.infra.broker import broker_settings
from notify.infra.container import Container
from notify.infra.ids import new_public_id
from notify.infra.objects import Details
from notify.infra.parts import build_parts
from notify.infra.queue import Queue, create_celery
from notify.infra.times import utc_now
from notify.jobs.actions import create_job
from notify.jobs.files import JobFiles
from notify.jobs.publish import PROCESS_JOB
from notify.queues import QUEUES

if TYPE_CHECKING:
    from chaos.scenarios import Run

ROWS: Final = 20_000
STUCK_SECONDS: Final = 120.0
"""A job of which no row was saved for so long, after the last kill, is stuck."""
KILLS_AT_LEAST: Final = 6
"""So many, as long as half of the rows are not saved: on a busy machine that takes longer than the scenario's time."""
EVERY_SECONDS: Final = 1.0
_MISTAKES: Final = """
SELECT count(*), count(DISTINCT job_row_number),
       count(*) FILTER (WHERE normalised_to <> '4477009' || lpad(job_row_number::text, 5, '0')),
       count(*) FILTER (WHERE notification_status = 'validation-failed'),
       min(job_row_number), max(job_row_number)
FROM notifications WHERE job_id = %s
"""
_STATUS: Final = "SELECT job_status FROM jobs WHERE id = %s"
_SAVED: Final = "SELECT count(*) FROM notifications WHERE job_id = %s"


def _csv() -> bytes:
    """Each row has its place in its number, and in its reference."""
    lines = (f"07700 9{n:05},Ann,Monday,jobs-row-{n}" for n in range(ROWS))
    return "\r\n".join(("phone number,name,date,reference", *lines)).encode()


def _create(run: Run) -> UUID:
    """Upload the file and create the job, as the admin app has the API do it; its id."""
    stack, demo = run.stack, run.stack.demo
    parts = build_parts(
        settings.load(
            notify_environment="development",
            sqlalchemy_database_uri=stack.database_url,
            redis_url=stack.cache_url,
            notify_data_dir=stack.folder,
            api_host_name=stack.base_url,
        )
    )
    job_id, service_id = new_public_id(), UUID(demo["service_id"])
    metadata = {
        "original_file_name": "chaos.csv",
        "template_id": demo["templates"]["sms"],
        "notification_count": str(ROWS),
        "valid": "True",
    }
    uploads = parts.objects.bucket(parts.settings.s3_bucket_csv_upload)
    uploads.put(f"service-{service_id}-notify/{job_id}.csv", _csv(), Details(metadata))
    with parts.database.transaction() as session:
        given: dict[str, Any] = {"id": str(job_id), "created_by": demo["user"]["id"]}
        create_job(session, Container(parts).get(JobFiles), service_id, given, utc_now())
    parts.close()
    return job_id


async def jobs(run: Run) -> None:
    """Workers, and now and then the database, are killed while a job is processed; its task comes again and again."""
    job_id = await asyncio.to_thread(_create, run)
    broker = broker_settings(run.stack.cache_url, list(QUEUES), visibility_seconds=3600, region="", account_id="")
    queue = Queue(create_celery(broker, prefix="", queues=QUEUES), "", broker)

    def publish() -> None:
        queue.publish(PROCESS_JOB, [str(job_id)], queue=queues.JOBS)

    began, kills, during = monotonic(), 0, 0
    most_saved, moved = 0, began
    while not await _is_finished(run, job_id):
        saved = await _count(run, job_id)
        if saved > most_saved or run.last_fault > moved:
            most_saved, moved = max(saved, most_saved), monotonic()
        if monotonic() > moved + STUCK_SECONDS:
            run.violations.append(f"the job is stuck at {saved} rows")
            break
        await asyncio.to_thread(publish)
        await asyncio.sleep(run.dice.uniform(0.2, EVERY_SECONDS))
        if monotonic() < began + run.seconds * 0.8 or (kills < KILLS_AT_LEAST and saved < ROWS / 2):
            await run.kill(run.dice.choice([*run.stack.workers * 3, "postgres"]))
            kills += 1
            during += 0 < saved < ROWS
            # long enough for a worker to start, and for the job to count as stalled
            await asyncio.sleep(run.dice.uniform(2.0, 5.0))
    queue.close()
    await _judge(
        run, job_id, f"{ROWS} rows were saved in {monotonic() - began:.0f} s; {during} of {kills} kills meanwhile"
    )


async def _is_finished(run: Run, job_id: UUID) -> bool:
    with suppress(psycopg.OperationalError):
        ((status,),) = await run.stack.execute(_STATUS, job_id)
        return str(status).startswith("finished")
    return False


async def _count(run: Run, job_id: UUID) -> int:
    with suppress(psycopg.OperationalError):
        ((number,),) = await run.stack.execute(_SAVED, job_id)
        return int(number)
    return 0


async def _judge(run: Run, job_id: UUID, note: str) -> None:
    """Compare the rows of the file with the messages."""
    ((count, different, wrong, invalid, first, last),) = await run.stack.execute(_MISTAKES, job_id)
    if (count, different, first, last) != (ROWS, ROWS, 0, ROWS - 1):
        run.violations.append(f"{count} messages of {different} rows, from {first} to {last}; there are {ROWS}")
    if invalid:
        run.violations.append(f"{invalid} messages are taken for invalid")
    if wrong:
        run.violations.append(f"{wrong} messages have the recipient of another row")
    run.notes.append(note)
