"""What work on PDFs may cost: how many at a time, and how often a letter may bring its worker down."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Final, Self
from uuid import UUID

from sqlalchemy import text, update

from notify.infra.container import Container
from notify.infra.database import Database
from notify.letters.settings import LetterSettings
from notify.messages.models import Notification

MOST_INTERRUPTED: Final = 3
"""A letter that was in the hands of so many workers when they died is not taken up again."""


_TAKE: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 6014))"


class LetterInHandError(Exception):
    """Another worker has this letter in hand: what is done twice at the same time need not be done."""


class WorkersDiedError(Exception):
    """Workers died with this letter in hand, time after time."""


class PdfWork:
    """Lets few PDFs be worked on at the same time: each takes a processor and much memory. What waits should not hold
    the content of its file yet.
    """

    def __init__(self, at_a_time: int, database: Database) -> None:
        self._slots = BoundedSemaphore(at_a_time)
        self._database = database

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        settings = container.parts.settings.part(LetterSettings)
        return cls(settings.letter_pdfs_at_a_time, container.parts.database)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait until one more may be worked on."""
        with self._slots:
            yield

    @contextmanager
    def on_letter(self, letter_id: UUID) -> Iterator[None]:
        """As `slot`, for one letter, by one worker at a time. A PDF may bring down the library that reads it, and the
        worker with it: that is noted on the letter beforehand, so that it does not go on for ever.

        Raises `WorkersDiedError`, `LetterInHandError`: else workers with the same letter would count as dead ones.
        """
        # the lock ends with its transaction, so also with this process
        with self._slots, self._database.connection() as connection:
            taken = connection.execute(_TAKE, (str(letter_id),)).fetchone()
            if taken is None or not taken[0]:
                raise LetterInHandError
            if self._note(letter_id, 1) > MOST_INTERRUPTED:
                raise WorkersDiedError
            try:
                yield
            finally:
                self._note(letter_id, -1)

    def _note(self, letter_id: UUID, number: int) -> int:
        """Note that a letter is taken up, or given back; how many have it now, or died with it."""
        note = (
            update(Notification)
            .where(Notification.id == letter_id)
            .values(interrupted=Notification.interrupted + number)
            .returning(Notification.interrupted)
        )
        with self._database.transaction() as session:
            # it must outlive this process, not the database's machine: nobody waits for the disk
            session.execute(text("SET LOCAL synchronous_commit = off"))
            return session.scalar(note) or 0
