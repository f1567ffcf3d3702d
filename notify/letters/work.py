"""Limits work on PDFs: how many at a time, and how often a letter may kill its worker."""

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
"""A letter that this many workers were processing when they died is not tried again."""


_TAKE: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 6014))"


class LetterInHandError(Exception):
    """Another worker is processing this letter."""


class WorkersDiedError(Exception):
    """Too many workers died while processing this letter."""


class PdfWork:
    """Limits how many PDFs are processed at the same time: each takes a CPU and much memory. Load a file's content only
    after waiting.
    """

    def __init__(self, at_a_time: int, database: Database) -> None:
        self._slots = BoundedSemaphore(at_a_time)
        self._database = database

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        settings = container.parts.settings.part(LetterSettings)
        return cls(settings.letter_pdfs_at_a_time, container.parts.database)

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Wait for a free slot."""
        with self._slots:
            yield

    @contextmanager
    def on_letter(self, letter_id: UUID) -> Iterator[None]:
        """As `slot`, for one letter, by one worker at a time. A PDF may crash the library that reads it, and the worker
        with it: the attempt is recorded on the letter first, so that crashes do not repeat forever.

        Raises `WorkersDiedError`, and `LetterInHandError`, so that a concurrent worker does not count as a dead one.
        """
        # the lock ends with its transaction, and so with this process
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
        """Add to the number of workers that are processing a letter, or died with it. Returns the new number."""
        note = (
            update(Notification)
            .where(Notification.id == letter_id)
            .values(interrupted=Notification.interrupted + number)
            .returning(Notification.interrupted)
        )
        with self._database.transaction() as session:
            # no need to wait for the disk: it must survive this process, not the database's machine
            session.execute(text("SET LOCAL synchronous_commit = off"))
            return session.scalar(note) or 0
