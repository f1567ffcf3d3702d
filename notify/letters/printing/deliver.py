"""Sends a letter to the printer (contract: letters 8.4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple, Self
from uuid import UUID

import structlog
from psycopg.rows import args_row

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.secrets import Encryptor, UndecipherableError
from notify.infra.times import utc_now
from notify.letters.files import LetterFiles, LetterMissingError
from notify.letters.printing.base import (
    Printer,
    PrinterError,
    PrintJob,
    RetryablePrinterError,
    Taken,
)
from notify.letters.printing.choice import PrinterChoice
from notify.letters.statuses import LetterFailedError, mark_failed
from notify.messages.metrics import measure_statuses
from notify.messages.models import TO
from notify.messages.statuses import COMPLETED

logger = structlog.get_logger(__name__)

_READ: Final = """
SELECT n.id, n.reference, n."to", n.postage, n.created_at, n.key_type, n.notification_status, n.billable_units,
       n.service_id, s.organisation_id
FROM notifications n JOIN services s ON s.id = n.service_id
WHERE n.id = %s AND n.notification_type = 'letter'
"""
# keep the status of a callback that came first
_SENT: Final = """
UPDATE notifications SET sent_at = %(now)s, sent_by = %(by)s, updated_at = %(now)s,
    notification_status = CASE WHEN notification_status = ANY(%(completed)s) THEN notification_status ELSE 'sending' END
WHERE id = %(id)s
RETURNING key_type
"""


class _Row(NamedTuple):
    """The row of a letter to print: a `Letter` of `notify.letters.files`."""

    id: UUID
    reference: str | None
    to: bytes
    postage: str | None
    created_at: datetime
    key_type: str
    notification_status: str
    billable_units: int
    service_id: UUID
    organisation_id: UUID | None


class LetterDeliverer:
    """Sends letters to the printer, which recognises them by their id. If a worker is killed before it records that a
    letter was accepted, the letter is sent again, refused as a duplicate, and recorded then.
    """

    def __init__(
        self,
        database: Database,
        encryptor: Encryptor,
        files: LetterFiles,
        printer: Callable[[], Printer],
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._encryptor = encryptor
        self._files = files
        self._printer = printer
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts, choice = container.parts, container.get(PrinterChoice)
        return cls(parts.database, parts.encryptor, container.get(LetterFiles), lambda: choice.printer)

    def deliver(self, notification_id: UUID) -> None:
        """Send a letter that waits for the printer; does nothing for any other.

        Raises `RetryablePrinterError` if a retry may succeed, and `LetterFailedError` if the letter has become
        `technical-failure`.
        """
        row = self._read(notification_id)
        if row is None:
            logger.warning("letter to print is not there", id=notification_id)
            return
        if row.notification_status != "created":
            logger.warning("letter not printed: wrong status", id=row.id, status=row.notification_status)
            return
        if row.key_type != "normal":
            logger.error("letter not printed: wrong kind of key", id=row.id, key_type=row.key_type)
            return
        try:
            printer = self._printer()
            taken = printer.print_letter(self._job(row))
        except RetryablePrinterError:
            raise
        except PrinterError as error:
            self.fail(row.id, str(error))
        except LetterMissingError:
            self.fail(row.id, "its PDF is missing")
        except UndecipherableError:
            self.fail(row.id, "its address cannot be decrypted")
        else:
            if taken is Taken.DUPLICATE:
                logger.warning("the printer had this letter already", id=row.id)
            self._mark_sent(row.id, printer.identifier)

    def fail(self, notification_id: UUID, reason: str) -> None:
        """Set the status `technical-failure`. Always raises `LetterFailedError`, so that the task fails visibly."""
        if mark_failed(self._database, notification_id, self._now()):
            logger.error("letter cannot be printed", id=notification_id, reason=reason)
        raise LetterFailedError(notification_id, reason)

    def _read(self, notification_id: UUID) -> _Row | None:
        with self._database.connection() as connection:
            return connection.cursor(row_factory=args_row(_Row)).execute(_READ, (notification_id,)).fetchone()

    def _job(self, row: _Row) -> PrintJob:
        try:
            pdf = self._files.read(row)
        except (LetterMissingError, MemoryError):
            raise
        except Exception as error:  # any error of the store: try again later
            raise RetryablePrinterError(f"object store: {type(error).__name__}") from None
        return PrintJob(
            notification_id=row.id,
            reference=row.reference or "",
            to=self._encryptor.decrypt(row.to, TO, row.id),
            postage=row.postage or "second",
            service_id=row.service_id,
            organisation_id=row.organisation_id,
            sheets=row.billable_units,
            pdf=pdf,
        )

    def _mark_sent(self, notification_id: UUID, printer: str) -> None:
        values = {"now": self._now(), "by": printer, "completed": sorted(COMPLETED), "id": notification_id}
        with self._database.connection() as connection:
            found = connection.execute(_SENT, values).fetchone()
        if found is not None:
            measure_statuses([("letter", str(found[0]), "sending")])
