"""Celery tasks of printing: thin."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import structlog
from celery.schedules import crontab

from notify import queues
from notify.infra.container import Container
from notify.infra.task_set import RUN_ONCE, Retry, TaskSet
from notify.infra.times import utc_now
from notify.letters.printing import run
from notify.letters.printing.base import RetryablePrinterError
from notify.letters.printing.deliver import LetterDeliverer
from notify.letters.printing.fake_callback import CallbackFailedError, FakeCallbacks
from notify.letters.printing.renew import CredentialsRenewal
from notify.letters.printing.run import COLLATE, DELIVER_LETTER, SHATTER, PrintRun
from notify.letters.printing.sftp import ZIP_AND_SEND
from notify.letters.printing.status_callback import PROCESS_LETTER_CALLBACK, LetterCallbacks, PrinterUpdate
from notify.letters.printing.zips import ZipCollation
from notify.letters.publish import CREATE_FAKE_LETTER_CALLBACK
from notify.letters.settings import PrinterSettings
from notify.providers.settings import EmailProviderSettings
from notify.settings import Settings

logger = structlog.get_logger(__name__)

tasks = TaskSet()

DELIVERY_RETRIES: Final = 55
SHORT_RETRIES: Final = 3
SHORT_SECONDS: Final = 60


def _retry_seconds(settings: Settings) -> float:
    return settings.part(PrinterSettings).letter_retry_seconds


def _not_delivered(container: Container, notification_id: str) -> None:
    container.get(LetterDeliverer).fail(UUID(notification_id), "the printer could not be reached in all the tries")


@tasks.periodic("check-time-to-collate-letters", crontab(hour="16,17", minute=50))
def check_time_to_collate_letters(container: Container) -> None:
    """Begin the day's print run. Runs at two times in UTC, of which one is 17:50 in London."""
    now = utc_now()
    if run.is_time_to_run(now):
        run.publish(container.parts.queue, COLLATE, [run.iso_deadline(now)], queues.PERIODIC)


@tasks.task(COLLATE)
def collate_letter_pdfs_to_be_sent(container: Container, print_run_deadline_utc: str | None = None) -> None:
    """Announce a print run, and publish the delivery of its letters. The deadline is by default the latest one."""
    deadline = run.parse_deadline(print_run_deadline_utc or run.iso_deadline(utc_now()))
    printer = container.parts.settings.part(PrinterSettings).printer
    if printer == "none":
        logger.error("letters are not printed: LETTER_PRINTER is not set")
        return
    print_run = container.get(PrintRun)
    print_run.announce(deadline)
    number = _publish_zips(container, deadline) if printer == "sftp" else print_run.publish(deadline)
    logger.info("letters for the printer", number=number, deadline=deadline.isoformat())


def _publish_zips(container: Container, deadline: datetime) -> int:
    """Publish the sending of each zip file of the run. Returns the number of letters."""
    number = 0
    for zip_file in container.get(ZipCollation).zip_files(deadline):
        run.publish(container.parts.queue, ZIP_AND_SEND, [zip_file.keys, zip_file.name], queues.PROCESS_FTP)
        number += len(zip_file.keys)
    return number


@tasks.task(SHATTER)
def shatter_deliver_letters_tasks(container: Container, notification_ids: Sequence[str]) -> None:
    """Publish the delivery of each of these letters."""
    for notification_id in notification_ids:
        run.publish(container.parts.queue, DELIVER_LETTER, [notification_id], queues.SEND_LETTER)


@tasks.task(
    DELIVER_LETTER,
    retry=Retry(
        on=(RetryablePrinterError,),
        times=DELIVERY_RETRIES,
        seconds=_retry_seconds,
        given_up=_not_delivered,
        queue=queues.SEND_LETTER,
    ),
)
def deliver_letter(container: Container, notification_id: str) -> None:
    """Send a letter to the printer."""
    container.get(LetterDeliverer).deliver(UUID(notification_id))


def _prompt(settings: Settings) -> timedelta | None:
    printer = settings.part(PrinterSettings)
    return timedelta(seconds=printer.letter_prompt_seconds) if printer.printer == "sandbox" else None


@tasks.periodic("print-letters-at-once", _prompt, expires=RUN_ONCE)
def print_letters_at_once(container: Container) -> None:
    """Send letters to the sandbox printer as soon as they are ready, instead of in the evening."""
    settings = container.parts.settings
    delay = timedelta(milliseconds=settings.part(EmailProviderSettings).sandbox_receipt_delay_ms)
    container.get(PrintRun).publish_ready(utc_now() - delay)


@tasks.task(PROCESS_LETTER_CALLBACK)
def process_letter_callback(
    container: Container,
    notification_id: str,
    page_count: int | None,
    dvla_status: str,
    cost_threshold: str | None,
    despatch_date: str | None,
) -> None:
    """Apply the printer's report about a letter."""
    day = None if despatch_date is None else date.fromisoformat(despatch_date)
    update = PrinterUpdate(UUID(notification_id), dvla_status, page_count, cost_threshold, day)
    container.get(LetterCallbacks).apply(update)


def _not_called(container: Container, notification_id: str, billable_units: int, postage: str) -> None:
    del container, billable_units, postage
    logger.warning("fake callback of a letter given up", id=notification_id)


@tasks.task(
    CREATE_FAKE_LETTER_CALLBACK,
    retry=Retry(
        on=(CallbackFailedError,),
        times=SHORT_RETRIES,
        seconds=SHORT_SECONDS,
        given_up=_not_called,
        queue=queues.RESEARCH_MODE,
    ),
)
def create_fake_letter_callback(container: Container, notification_id: str, billable_units: int, postage: str) -> None:
    """Send our own API the printer's callback about a posted letter."""
    container.get(FakeCallbacks).send(UUID(notification_id), billable_units, postage)


_RENEWAL: Final = Retry(on=(RetryablePrinterError,), times=SHORT_RETRIES, seconds=SHORT_SECONDS, queue=queues.PERIODIC)


@tasks.periodic("change-dvla-api-key", crontab(hour=9, minute=0, day_of_week="tue", day_of_month="1-7"), retry=_RENEWAL)
def change_dvla_api_key(container: Container) -> None:
    """Renew the key of the print provider, on the first Tuesday of the month."""
    container.get(CredentialsRenewal).renew_api_key()


@tasks.periodic(
    "change-dvla-password", crontab(hour=9, minute=0, day_of_week="wed", day_of_month="2-8"), retry=_RENEWAL
)
def change_dvla_password(container: Container) -> None:
    """Renew the password of the print provider, on the Wednesday after that."""
    container.get(CredentialsRenewal).renew_password()
