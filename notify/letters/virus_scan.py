"""The virus scan of precompiled letters (contract: letters 9).

Nothing is lost: a letter is `pending-virus-check`, with its file in the scan bucket, until a later step has filed it
elsewhere and written its status. So a letter whose task was lost is found, and scanned again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Self
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notify.documents.antivirus import Antivirus
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.objects import ObjectMissingError
from notify.infra.queue import Queue
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.letters import files
from notify.letters.files import INFECTED_FOLDER, UNSCANNED_FOLDER, LetterFiles, StoredLetter
from notify.letters.publish import publish_check
from notify.letters.rows import PENDING, LetterOfRow, find_by_reference, write_status
from notify.letters.work import PdfWork
from notify.messages.models import Notification

logger = structlog.get_logger(__name__)

PENDING_AFTER: Final = timedelta(minutes=10)
"""A letter that has waited longer for its scan and check is stuck."""
MOST_RESCANNED: Final = 1000
"""Most letters that one run scans again; the next run continues."""


class Stuck(NamedTuple):
    """Letters that have waited too long for their virus scan."""

    rescanned: list[UUID]
    """Their scan was published again."""
    missing: list[UUID]
    """Their file is not in the scan bucket: a person has to check."""


class VirusScan:
    """Scans letters, and decides their next step."""

    def __init__(
        self,
        database: Database,
        encryptor: Encryptor,
        queue: Queue,
        letter_files: LetterFiles,
        antivirus: Antivirus,
        work: PdfWork,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._encryptor = encryptor
        self._queue = queue
        self._files = letter_files
        self._antivirus = antivirus
        self._work = work
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        return cls(
            parts.database,
            parts.encryptor,
            parts.queue,
            container.get(LetterFiles),
            container.get(Antivirus),
            container.get(PdfWork),
        )

    def publish(self, file_name: str, service_id: UUID) -> bool:
        """Publish the first step of a precompiled letter. False if the broker is down."""
        return publish_check(self._queue, file_name, service_id, scans=self._antivirus.is_enabled)

    def scan(self, file_name: str) -> None:
        """Scan a letter, and publish its check if it is clean. Does nothing for a letter in any other status.

        Raises `ScannerError`, `ObjectMissingError`, and the errors of the object store.
        """
        letter = self._waiting(file_name)
        if letter is None:
            return
        with self._work.slot():
            virus = self._antivirus.scan(self._files.scan.get(file_name))
        if virus is None:
            publish_check(self._queue, file_name, letter.service_id, scans=False)
        else:
            self._end(letter, file_name, INFECTED_FOLDER, "virus-scan-failed")
            logger.error("virus in a letter", notification_id=letter.id, service_id=letter.service_id, virus=virus)

    def give_up(self, file_name: str) -> None:
        """Fail a letter that could not be scanned in any attempt."""
        letter = self._waiting(file_name)
        if letter is not None:
            self._end(letter, file_name, UNSCANNED_FOLDER, "technical-failure")
            logger.error("letter could not be scanned for viruses", notification_id=letter.id)

    def _waiting(self, file_name: str) -> LetterOfRow | None:
        with self._database.session() as session:
            letter = find_by_reference(session, self._encryptor, files.reference_of(file_name))
        if letter is not None and letter.notification_status == PENDING:
            return letter
        logger.info("letter does not wait for a virus scan", file=file_name)
        return None

    def _end(self, letter: LetterOfRow, file_name: str, folder: str, status: str) -> None:
        scan = self._files.scan
        try:
            files.move(StoredLetter(scan, file_name), StoredLetter(scan, folder + file_name))
        except ObjectMissingError:
            logger.error("file of a letter is missing", notification_id=letter.id)
        with self._database.transaction() as session:
            write_status(session, letter, status, self._now(), billable_units=0)

    def rescan(self, *, oldest: timedelta, youngest: timedelta = PENDING_AFTER) -> Stuck:
        """Publish the scan again for letters accepted between `oldest` and `youngest` ago that still wait for it."""
        with self._database.reading() as session:
            pending = find_pending(session, self._now(), oldest=oldest, youngest=youngest)
        stuck = Stuck([], [])
        for letter in pending:
            key = self._files.find_unchecked(letter.reference or "")
            if key is None:
                stuck.missing.append(letter.id)
            elif self.publish(key, letter.service_id):
                stuck.rescanned.append(letter.id)
        return stuck

    def replay_unscanned(self) -> int:
        """Scan letters again that could not be scanned, when there is a scanner. Returns their number. They get the
        status back that they had while they waited.
        """
        number = 0
        for key in list(self._files.scan.keys(UNSCANNED_FOLDER)):
            file_name = key.removeprefix(UNSCANNED_FOLDER)
            with self._database.session() as session:
                letter = find_by_reference(session, self._encryptor, files.reference_of(file_name))
            if letter is None or letter.notification_status not in ("technical-failure", PENDING):
                continue
            # status first: if interrupted, the file is still in the folder, and found again
            with self._database.transaction() as session:
                session.execute(
                    update(Notification)
                    .where(Notification.id == letter.id, Notification.notification_status == "technical-failure")
                    .values(notification_status=PENDING, updated_at=None, interrupted=0)
                )
            files.move(StoredLetter(self._files.scan, key), StoredLetter(self._files.scan, file_name))
            self.publish(file_name, letter.service_id)
            number += 1
        return number


class PendingLetter(NamedTuple):
    """A letter that waits for its virus scan."""

    id: UUID
    service_id: UUID
    reference: str | None


def find_pending(
    session: Session, now: datetime, *, oldest: timedelta, youngest: timedelta = PENDING_AFTER
) -> list[PendingLetter]:
    """Letters that were accepted between `oldest` and `youngest` ago and wait for their virus scan, oldest first."""
    query = (
        select(Notification.id, Notification.service_id, Notification.reference)
        .where(
            Notification.notification_status == PENDING,
            Notification.notification_type == "letter",
            Notification.created_at >= now - oldest,
            Notification.created_at < now - youngest,
        )
        .order_by(Notification.created_at, Notification.id)
        .limit(MOST_RESCANNED)
    )
    return [PendingLetter(*row) for row in session.execute(query)]
