"""Commands about letters: recreating PDFs, printing, returned letters (contract: workers 17)."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import UUID

import click

from notify import queues
from notify.cli.common import json_option, open_parts, show
from notify.cli.text_file import TextFile
from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.infra.queue import TaskName
from notify.infra.times import utc_now
from notify.letters import returned
from notify.letters.lookup import find_by_reference, find_letter
from notify.letters.printing import run
from notify.letters.printing.responses import RECORD_SORTED_COUNTS, is_response_file
from notify.letters.publish import RESANITISE_PDF
from notify.letters.settings import PrinterSettings
from notify.letters.virus_scan import VirusScan
from notify.messages.publish import GET_PDF

_F = TypeVar("_F", bound=Callable[..., Any])

DETAILS_FILE: Final = "zips_sent_details.csv"
_REFERENCE: Final = re.compile(r"[0-9A-Z]{16}")


def _letter_option(function: _F) -> _F:
    """The option `--notification_id`."""
    return click.option(
        "-n",
        "--notification_id",
        "--notification-id",
        "notification_id",
        type=click.UUID,
        required=True,
        help="Id of the letter.",
    )(function)


def _publish(parts: Parts, task: TaskName, arguments: list[Any], queue: str) -> None:
    if not parts.queue.publish(task, arguments, queue=queue):
        raise click.ClickException("the task queue does not answer: nothing was done")


def _check_letter(parts: Parts, notification_id: UUID) -> str:
    """The status of a letter. Raises `click.ClickException` where there is none."""
    with parts.database.session() as session:
        found = find_letter(session, notification_id)
    if found is None:
        raise click.ClickException(f"there is no letter {notification_id}, or it is in the history")
    return found.status


def _make_again(task: TaskName, queue: str, notification_id: UUID, as_json: bool) -> None:
    """Publish a task for a letter."""
    with open_parts() as parts:
        status = _check_letter(parts, notification_id)
        _publish(parts, task, [str(notification_id)], queue)
    show({"queued": notification_id, "status": status}, as_json)


@click.command("replay-create-pdf-for-templated-letter")
@_letter_option
@json_option
def replay_create_pdf_for_templated_letter_command(notification_id: UUID, as_json: bool) -> None:
    """Make the PDF of a letter again, from its template. A worker does it."""
    _make_again(GET_PDF, queues.CREATE_LETTERS_PDF, notification_id, as_json)


@click.command("recreate-pdf-for-precompiled-or-uploaded-letter")
@_letter_option
@json_option
def recreate_pdf_for_precompiled_or_uploaded_letter_command(notification_id: UUID, as_json: bool) -> None:
    """Make the PDF of a letter that came as a PDF again, from its original. A worker does it."""
    _make_again(RESANITISE_PDF, queues.LETTERS, notification_id, as_json)


@click.command("get-notification-and-service-ids-for-letters-that-failed-to-print")
@click.option(
    "-f",
    "--file_name",
    "--file-name",
    "text",
    required=True,
    type=TextFile(),
    help="File with a name of a PDF (NOTIFY.<reference>...) a line.",
)
@json_option
def get_notification_and_service_ids_for_letters_that_failed_to_print_command(text: str, as_json: bool) -> None:
    """Find letters by the names of their files. Writes their ids to zips_sent_details.csv."""
    references = [line.strip()[7:23] for line in text.splitlines() if line.strip()]
    with open_parts() as parts, parts.database.session() as session:
        letters = find_by_reference(session, references)
    with Path(DETAILS_FILE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["notification_id", "service_id", "reference", "status"])
        writer.writerows([letter.id, letter.service_id, letter.reference, letter.status] for letter in letters)
    show({"found": len(letters), "of": len(references), "file": DETAILS_FILE}, as_json)


@click.command("print-letter")
@_letter_option
@json_option
def print_letter_command(notification_id: UUID, as_json: bool) -> None:
    """Send a letter to the print provider now. It must have a PDF, and not be printed yet."""
    with open_parts() as parts:
        status = _check_letter(parts, notification_id)
        if status != "created":
            raise click.ClickException(f"the letter has the status {status}: only one that is created is printed")
        _publish(parts, run.DELIVER_LETTER, [str(notification_id)], queues.SEND_LETTER)
    show({"queued": notification_id}, as_json)


@click.command("run-print")
@json_option
def run_print_command(as_json: bool) -> None:
    """Start the print run, which runs every evening, now. It prints letters from before the last 17:30 in London.

    Safe to run twice.
    """
    with open_parts() as parts:
        if parts.settings.part(PrinterSettings).printer == "none":
            raise click.ClickException("LETTER_PRINTER: must be set")
        deadline = run.iso_deadline(utc_now())
        _publish(parts, run.COLLATE, [deadline], queues.PERIODIC)
    show({"deadline_utc": deadline}, as_json)


@click.command("report-returned-letters")
@click.option(
    "-f",
    "--file_name",
    "--file-name",
    "text",
    required=True,
    type=TextFile(),
    help="File with a reference of 16 characters a line.",
)
@json_option
def report_returned_letters_command(text: str, as_json: bool) -> None:
    """Report letters that the post returned. Their services get callbacks."""
    references = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    _check_references(references)
    with open_parts() as parts:
        if not returned.publish(parts.queue, references):
            raise click.ClickException("the task queue does not answer: run this again, which is safe")
    show({"reported": len(references)}, as_json)


def _check_references(references: Iterable[str]) -> None:
    wrong = [reference for reference in references if not _REFERENCE.fullmatch(reference)]
    if wrong:
        raise click.ClickException(f"{wrong[0]} is no reference: 16 capitals and digits; {len(wrong)} are like that")


@click.command("replay-unscanned-letters")
@json_option
def replay_unscanned_letters_command(as_json: bool) -> None:
    """Scan letters again that no virus scanner could check."""
    with open_parts() as parts:
        container = Container(parts)
        number = container.get(VirusScan).replay_unscanned()
    show({"replayed": number}, as_json)


@click.command("replay-daily-sorted-count-files")
@click.option("-f", "--file_extension", "--file-extension", "ending", default="rs.txt", show_default=True)
@json_option
def replay_daily_sorted_count_files_command(ending: str, as_json: bool) -> None:
    """Read the daily sorted counts of print response files again (2020)."""
    with open_parts() as parts:
        bucket = parts.objects.bucket(parts.settings.part(PrinterSettings).response_bucket)
        names = [key for key in bucket.keys("") if is_response_file(key) and key.lower().endswith(ending.lower())]
        for name in names:
            _publish(parts, RECORD_SORTED_COUNTS, [name], queues.INTERNAL)
    show({"queued": len(names)}, as_json)
