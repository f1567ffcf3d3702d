"""Celery tasks of the printer that takes zip files (contract: letters 11, 2020): thin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog

from notify import queues
from notify.infra.container import Container
from notify.infra.queue import TaskName
from notify.infra.task_set import LondonCrontab, Retry, TaskSet
from notify.letters.printing.base import PrinterError, RetryablePrinterError
from notify.letters.printing.fake_response import CREATE_FAKE_RESPONSE, FakeResponses
from notify.letters.printing.responses import RECORD_SORTED_COUNTS, UPDATE_STATUSES, PrinterResponses
from notify.letters.printing.sftp import ZIP_AND_SEND, ZipPrinter
from notify.letters.settings import PrinterSettings

logger = structlog.get_logger(__name__)

tasks = TaskSet()

MARK_SENT: Final[TaskName] = TaskName("update-letter-notifications-to-sent")
MARK_FAILED: Final[TaskName] = TaskName("update-letter-notifications-to-error")
SEND_RETRIES: Final = 10
SEND_SECONDS: Final = 180
FAKE_RETRIES: Final = 5
FAKE_SECONDS: Final = 300


class LettersFailedError(Exception):
    """Letters became `technical-failure`. Makes the task fail visibly."""


def _not_sent(container: Container, filenames_to_zip: Sequence[str], upload_filename: str) -> None:
    logger.error("zip file of letters not sent", name=upload_filename)
    number = container.get(ZipPrinter).give_up(filenames_to_zip, upload_filename)
    raise LettersFailedError(f"{number} letters were not taken by the printer")


@tasks.task(
    ZIP_AND_SEND,
    retry=Retry(
        on=(RetryablePrinterError,),
        times=SEND_RETRIES,
        seconds=SEND_SECONDS,
        given_up=_not_sent,
        queue=queues.PROCESS_FTP,
    ),
)
def zip_and_send_letter_pdfs(container: Container, filenames_to_zip: Sequence[str], upload_filename: str) -> None:
    """Send a zip file of letters to the printer."""
    try:
        number = container.get(ZipPrinter).send(filenames_to_zip, upload_filename)
    except RetryablePrinterError:
        raise
    except PrinterError as error:
        logger.error("zip file of letters cannot be made", name=upload_filename, reason=str(error))
        _not_sent(container, filenames_to_zip, upload_filename)
    else:
        logger.info("letters sent to the printer", name=upload_filename, number=number)


@tasks.task(MARK_SENT)
def update_letter_notifications_to_sent(container: Container, notification_references: Sequence[str]) -> None:
    """Record that another program has sent letters to the printer."""
    container.get(ZipPrinter).mark_sent(notification_references)


@tasks.task(MARK_FAILED)
def update_letter_notifications_to_error(container: Container, notification_references: Sequence[str]) -> None:
    """Record that another program could not send letters to the printer."""
    number = container.get(ZipPrinter).mark_failed(notification_references)
    raise LettersFailedError(f"{number} letters were not taken by the printer")


@tasks.task(UPDATE_STATUSES)
def update_letter_notifications_statuses(container: Container, filename: str) -> None:
    """Apply a response file of the printer to its letters."""
    container.get(PrinterResponses).update_statuses(filename)


@tasks.task(RECORD_SORTED_COUNTS)
def record_daily_sorted_counts(container: Container, filename: str) -> None:
    """Count the sorted and unsorted letters of a response file."""
    container.get(PrinterResponses).record_sorted_counts(filename)


@tasks.task(CREATE_FAKE_RESPONSE, retry=Retry(on=(Exception,), times=FAKE_RETRIES, seconds=FAKE_SECONDS))
def create_fake_letter_response_file(container: Container, reference: str) -> None:
    """Write a response file about a letter of a test key, as the printer would."""
    name = container.get(FakeResponses).write(reference)
    logger.info("response file written in the place of the printer", file=name)


@tasks.periodic("raise-alert-if-no-letter-ack-file", LondonCrontab(hour=23, minute=0))
def raise_alert_if_no_letter_ack_file(container: Container) -> None:
    """Create a ticket about zip files that the printer has not acknowledged."""
    if container.parts.settings.part(PrinterSettings).printer == "sftp":
        container.get(PrinterResponses).check_acknowledgements()
