"""Reads the PDF of a letter for its service (contract: public-api 7.3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Self

import structlog

from notify.infra.cache import Cache
from notify.infra.container import Container
from notify.infra.errors import ProblemError
from notify.infra.queue import Queue
from notify.infra.times import utc_now
from notify.letters.files import LetterFiles, LetterMissingError, LetterRow
from notify.letters.rows import PENDING
from notify.messages.errors import PdfNotReadyError
from notify.messages.publish import publish, queue_for
from notify.messages.queries import StoredMessage

logger = structlog.get_logger(__name__)

SOON: Final = timedelta(minutes=1)
"""A letter's PDF is usually made within this time."""
ASKED_AGAIN_SECONDS: Final = 300


class LetterPdfs:
    """Reads the PDFs of letters."""

    def __init__(
        self, letter_files: LetterFiles, cache: Cache, queue: Queue, now: Callable[[], datetime] = utc_now
    ) -> None:
        self._files = letter_files
        self._cache = cache
        self._queue = queue
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.get(LetterFiles), container.parts.cache, container.parts.queue)

    def read(self, message: StoredMessage) -> bytes:
        """The PDF of a letter as printed. Raises `ProblemError`, and `PdfNotReadyError` if it cannot be read for any
        reason.
        """
        if message.notification_type != "letter":
            raise ProblemError("Notification is not a letter")
        if message.status == "virus-scan-failed":
            raise ProblemError("File did not pass the virus scan")
        if message.status == "technical-failure":
            raise ProblemError("PDF not available for letters in status technical-failure")
        if message.status == PENDING:
            raise PdfNotReadyError
        try:
            return self._files.read(
                LetterRow(message.reference, message.postage, message.created_at, message.key_type, message.status)
            )
        except LetterMissingError:
            self._ask_again(message)
            raise PdfNotReadyError from None
        except Exception as error:
            logger.warning("PDF of a letter cannot be read", notification_id=message.id, error=type(error).__name__)
            raise PdfNotReadyError from error

    def _ask_again(self, message: StoredMessage) -> None:
        """Publish the task of a test letter again, which may have been lost: the sweeper only checks other letters."""
        if message.key_type != "test" or self._now() - message.created_at < SOON:
            return
        asked = f"pdf-of-test-letter-{message.id}"
        if self._cache.get(asked) is None:
            self._cache.set(asked, "1", seconds=ASKED_AGAIN_SECONDS)
            publish(self._queue, "letter", queue_for("letter", message.key_type), [message.id])
