"""Celery tasks about returned letters, the deletion of PDFs, and alerts: thin wrappers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

import structlog
from celery.schedules import crontab
from sqlalchemy.exc import OperationalError

from notify import queues
from notify.infra.container import Container
from notify.infra.task_set import LondonCrontab, Retry, TaskSet
from notify.infra.times import utc_now
from notify.letters.alerts import LetterAlerts
from notify.letters.deletion import LetterDeletion
from notify.letters.lost import LostTestLetters
from notify.letters.preview_cache import PreviewCache
from notify.letters.returned import PROCESS_RETURNED_LETTERS, ReturnedLetters

logger = structlog.get_logger(__name__)

tasks = TaskSet()

CHECKED_MINUTES: Final = 120
CHECKED_ONLY_MINUTES: Final = 7200
RESCANNED_MINUTES: Final = 4320


@tasks.task(PROCESS_RETURNED_LETTERS, retry=Retry(on=(OperationalError,), times=5, seconds=300))
def process_returned_letters_list(container: Container, notification_references: Sequence[str]) -> None:
    """Record returned letters."""
    number = container.get(ReturnedLetters).record(notification_references)
    logger.info("returned letters", reported=len(notification_references), new=number)


@tasks.periodic("delete-pdfs-of-old-letters", crontab(hour=5, minute=0), queue=queues.REPORTING)
def delete_pdfs_of_old_letters(container: Container) -> None:
    """Delete PDFs that were not deleted with the rows of their letters."""
    if number := container.get(LetterDeletion).sweep(utc_now()):
        logger.info("PDFs of letters deleted", number=number)


@tasks.periodic("delete-old-previews-of-letters", crontab(hour=4, minute=50), queue=queues.REPORTING)
def delete_old_previews_of_letters(container: Container) -> None:
    """Delete cached previews of letters, which contain personal data."""
    if number := container.get(PreviewCache).delete_old(utc_now()):
        logger.info("previews of letters deleted", number=number)


@tasks.periodic("replay-test-letters-without-pdf", crontab(minute="*/10"), expires=600)
def replay_test_letters_without_pdf(container: Container) -> None:
    """Make the PDFs of test letters whose task was lost."""
    if number := container.get(LostTestLetters).replay():
        logger.warning("PDFs of test letters asked for again", number=number)


@tasks.periodic("check-if-letters-still-in-created", LondonCrontab(hour=7, minute=0, day_of_week="mon-fri"))
def check_if_letters_still_in_created(container: Container) -> None:
    """Create a ticket about letters that print runs have missed."""
    container.get(LetterAlerts).check_created()


@tasks.periodic("check-if-letters-in-technical-failure", LondonCrontab(hour=7, minute=0))
def check_if_letters_in_technical_failure(container: Container) -> None:
    """Create a ticket about letters that failed."""
    container.get(LetterAlerts).check_failed()


@tasks.periodic(
    "check-if-letters-still-pending-virus-check",
    crontab(minute="*/10"),
    expires=600,
    max_minutes_ago_to_check=CHECKED_MINUTES,
)
def check_if_letters_still_pending_virus_check(
    container: Container, max_minutes_ago_to_check: int = CHECKED_MINUTES
) -> None:
    """Restart pending virus scans of letters; create a ticket about letters without a file."""
    container.get(LetterAlerts).check_pending(timedelta(minutes=max_minutes_ago_to_check))


@tasks.periodic(
    "check-if-letters-still-pending-virus-check-nightly",
    LondonCrontab(hour=20, minute=0),
    max_minutes_ago_to_check_only=CHECKED_ONLY_MINUTES,
    max_minutes_ago_to_check_and_rescan=RESCANNED_MINUTES,
)
def check_if_letters_still_pending_virus_check_nightly(
    container: Container,
    max_minutes_ago_to_check_only: int = CHECKED_ONLY_MINUTES,
    max_minutes_ago_to_check_and_rescan: int = RESCANNED_MINUTES,
) -> None:
    """The same for the letters of some days; creates a ticket about the older ones as well."""
    container.get(LetterAlerts).check_pending_nightly(
        oldest=timedelta(minutes=max_minutes_ago_to_check_only),
        rescanned=timedelta(minutes=max_minutes_ago_to_check_and_rescan),
    )


@tasks.periodic("raise-alert-if-letter-notifications-still-sending", LondonCrontab(hour=19, minute=0))
def raise_alert_if_letter_notifications_still_sending(container: Container) -> None:
    """Create a ticket about letters that the printer is late with."""
    container.get(LetterAlerts).check_sending()
