"""Celery tasks about letters: thin wrappers."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from notify.infra.container import Container
from notify.infra.task_set import Retry, TaskSet
from notify.letters import maintenance_tasks
from notify.letters.printing import tasks as printing_tasks
from notify.letters.printing import zip_tasks
from notify.letters.publish import RESANITISE_ATTACHMENT, RESANITISE_PDF, SANITISE_LETTER, SCAN_FILE
from notify.letters.sanitising import LetterSanitising
from notify.letters.templated import TemplatedLetters
from notify.letters.virus_scan import VirusScan
from notify.messages.publish import GET_PDF

tasks = TaskSet()
tasks.include(printing_tasks.tasks)
tasks.include(zip_tasks.tasks)
tasks.include(maintenance_tasks.tasks)

RETRIES: Final = 15
SCAN_RETRIES: Final = 5
RETRY_SECONDS: Final = 300


def _no_pdf(container: Container, notification_id: str) -> None:
    container.get(TemplatedLetters).give_up(UUID(notification_id))


def _not_scanned(container: Container, filename: str) -> None:
    container.get(VirusScan).give_up(filename)


def _not_checked(container: Container, filename: str) -> None:
    container.get(LetterSanitising).give_up(filename)


@tasks.task(GET_PDF, retry=Retry(on=(Exception,), times=RETRIES, seconds=RETRY_SECONDS, given_up=_no_pdf))
def get_pdf_for_templated_letter(container: Container, notification_id: str) -> None:
    """Make the PDF of a letter."""
    container.get(TemplatedLetters).make_pdf(UUID(notification_id))


@tasks.task(SCAN_FILE, retry=Retry(on=(Exception,), times=SCAN_RETRIES, seconds=RETRY_SECONDS, given_up=_not_scanned))
def scan_file(container: Container, filename: str) -> None:
    """Scan a precompiled letter for viruses."""
    container.get(VirusScan).scan(filename)


@tasks.task(SANITISE_LETTER, retry=Retry(on=(Exception,), times=RETRIES, seconds=RETRY_SECONDS, given_up=_not_checked))
def sanitise_letter(container: Container, filename: str) -> None:
    """Check a precompiled letter, and make it ready for printing."""
    container.get(LetterSanitising).check(filename)


@tasks.task(RESANITISE_PDF)
def resanitise_pdf(container: Container, notification_id: str) -> None:
    """Make a precompiled letter ready for printing again, from its original."""
    container.get(LetterSanitising).check_again(UUID(notification_id))


@tasks.task(RESANITISE_ATTACHMENT)
def resanitise_letter_attachment(
    container: Container, service_id: str, attachment_id: str, original_filename: str
) -> None:
    """Make an attachment of letters ready for printing again, from its original."""
    container.get(LetterSanitising).check_attachment_again(UUID(service_id), UUID(attachment_id), original_filename)
