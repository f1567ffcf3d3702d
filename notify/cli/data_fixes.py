"""Commands that repair data (contract: workers 17)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

import click

from notify.cli.common import json_option, open_parts, show
from notify.infra.container import Container
from notify.infra.times import utc_now
from notify.jobs.files import JobFiles
from notify.jobs.maintenance import archive_created_between
from notify.jobs.process import JobProcessor
from notify.messages.partitions import BUSY, Partitions
from notify.messages.publish import DeliveryPublisher
from notify.messages.repairs import populate_postage

DAY: Final = click.DateTime(["%Y-%m-%d"])


def _nothing_to_fix(why: str) -> None:
    click.echo(f"Nothing to fix: {why}.")


@click.command("backfill-notification-statuses")
def backfill_notification_statuses_command() -> None:
    """Deprecated, does nothing. Messages have had one column of the status from the start."""
    _nothing_to_fix("there is one column of the status, and it is never empty")


@click.command("update-notification-international-flag")
def update_notification_international_flag_command() -> None:
    """Deprecated, does nothing. The flag is set when a message is stored."""
    _nothing_to_fix("the flag is set when a message is stored, and it is never empty")


@click.command("fix-notification-statuses-not-in-sync")
def fix_notification_statuses_not_in_sync_command() -> None:
    """Deprecated, does nothing. There is no second column of the status that could differ."""
    _nothing_to_fix("there is no second column of the status that could differ")


@click.command("populate-notification-postage")
@click.option(
    "-s",
    "--start_date",
    "--start-date",
    "start",
    type=DAY,
    default="2017-02-01",
    show_default=True,
    help="Letters created from this day on (UTC).",
)
@json_option
def populate_notification_postage_command(start: datetime, as_json: bool) -> None:
    """Set second class on letters without postage."""
    with open_parts() as parts:
        number = populate_postage(parts.database, start.replace(tzinfo=UTC), utc_now())
    show({"changed": number}, as_json)


@click.command("create-partitions")
@json_option
def create_partitions_command(as_json: bool) -> None:
    """Create partitions of the history for coming months; drop old ones that are empty. The task of this name does so
    every night. If the workers' database role does not own the tables, run this command as their owner.
    """
    now = utc_now()
    with open_parts() as parts:
        partitions = Partitions(parts.database)
        try:
            done = {"made": partitions.create(now), "dropped": partitions.drop_empty(now)}
        except BUSY as error:
            raise click.ClickException(f"the history is in use, try again: {error}") from None
    show(done, as_json)


@click.command("archive-jobs-created-between-dates")
@click.option("-s", "--start_date", "--start-date", "start", type=DAY, required=True, help="First local day.")
@click.option("-e", "--end_date", "--end-date", "end", type=DAY, required=True, help="Last local day, included.")
@json_option
def archive_jobs_created_between_dates_command(start: datetime, end: datetime, as_json: bool) -> None:
    """Archive the jobs of a period, and delete their files.

    Jobs that are not done keep their files.
    """
    if start > end:
        raise click.UsageError("the first day is after the last")
    with open_parts() as parts:
        files = Container(parts).get(JobFiles)
        number = archive_created_between(parts.database, files, start.date(), end.date())
    show({"archived": number}, as_json)


@click.command("process-row-from-job")
@click.option("-j", "--job_id", "--job-id", "job_id", type=click.UUID, required=True, help="Id of the job.")
@click.option(
    "-n",
    "--job_row_number",
    "--job-row-number",
    "number",
    type=click.IntRange(min=0),
    required=True,
    help="Number of the row; the first is 0.",
)
@json_option
def process_row_from_job_command(job_id: UUID, number: int, as_json: bool) -> None:
    """Create and send the message of one row of a job, unless it has one."""
    with open_parts() as parts:
        container = Container(parts)
        is_made = container.get(JobProcessor).process_row(job_id, number)
        container.get(DeliveryPublisher).close()
    show({"job_id": job_id, "row": number, "made": is_made}, as_json)
