"""Makes the PDFs of templated letters (contract: letters 7.1, 8.1)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Final, Self
from uuid import UUID

import structlog
from sqlalchemy import update

from notify.content.letter import MOST_PAGES
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.queue import Queue
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.letters import files
from notify.letters.compose import LetterComposer, NoTemplateError
from notify.letters.files import LetterFiles
from notify.letters.publish import publish_fake_callback
from notify.letters.rows import LetterOfRow, find_letter, sheets_of, write_status
from notify.letters.work import LetterInHandError, PdfWork, WorkersDiedError
from notify.messages.models import Notification

if TYPE_CHECKING:
    from notify.letters.render.letter import RenderedLetter
    from notify.letters.render.renderer import LetterRenderer

logger = structlog.get_logger(__name__)

TOO_LONG: Final = "letter-too-long"


class TemplatedLetters:
    """Makes the PDFs of letters. Every step is safe to repeat: a letter gives the same file under the same name."""

    def __init__(
        self,
        database: Database,
        encryptor: Encryptor,
        queue: Queue,
        letter_files: LetterFiles,
        composer: LetterComposer,
        renderer: LetterRenderer,
        work: PdfWork,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._encryptor = encryptor
        self._queue = queue
        self._files = letter_files
        self._composer = composer
        self._renderer = renderer
        self._work = work
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        from notify.letters.render.renderer import LetterRenderer  # few processes render

        parts = container.parts
        return cls(
            parts.database,
            parts.encryptor,
            parts.queue,
            container.get(LetterFiles),
            container.get(LetterComposer),
            container.get(LetterRenderer),
            container.get(PdfWork),
        )

    def make_pdf(self, letter_id: UUID) -> None:
        """Make the PDF of a letter, file it for the print run, and store its number of sheets. Does nothing for a
        letter that is not waiting for it, for example because it was cancelled. Raises errors that a retry may solve.
        """
        with self._database.session() as session:
            letter = find_letter(session, self._encryptor, letter_id)
        if letter is None or not _waits(letter):
            logger.info("letter does not wait for its PDF", notification_id=letter_id)
            return
        try:
            with self._work.on_letter(letter.id):
                rendered = self._renderer.render(self._composer.compose(letter), "print")
        except LetterInHandError:
            logger.info("the PDF of a letter is being made already", notification_id=letter.id)
            return
        except WorkersDiedError:
            logger.error("workers died while they made the PDF of a letter", notification_id=letter.id)
            self.give_up(letter.id)
            return
        except NoTemplateError:
            logger.error("letter is not made from a template", notification_id=letter.id)
            return
        if rendered.unprintable:
            scripts = sorted(rendered.unprintable)
            logger.warning("letter has characters that no font has", notification_id=letter.id, scripts=scripts)
        if rendered.pages > MOST_PAGES:
            self._refuse(letter, rendered)
            return
        place = self._files.place(letter)
        files.put(place.bucket, place.key, rendered.pdf)
        if not letter.is_test:
            self._note_sheets(letter, sheets_of(rendered.pages))
        elif letter.notification_status == "sending":
            publish_fake_callback(self._queue, letter.id, letter.billable_units, letter.postage)

    def give_up(self, letter_id: UUID) -> None:
        """Fail a letter whose PDF could not be made in any attempt."""
        with self._database.transaction() as session:
            letter = find_letter(session, self._encryptor, letter_id)
            if letter is not None and write_status(session, letter, "technical-failure", self._now()):
                logger.error("letter has no PDF", notification_id=letter_id)

    def _note_sheets(self, letter: LetterOfRow, sheets: int) -> None:
        with self._database.transaction() as session:
            session.execute(
                update(Notification)
                .where(Notification.id == letter.id, Notification.notification_status == "created")
                .values(billable_units=sheets, updated_at=self._now())
            )

    def _refuse(self, letter: LetterOfRow, rendered: RenderedLetter) -> None:
        key = files.file_name(letter.reference or "", letter.postage, letter.created_at)
        metadata = {"validation_status": "failed", "message": TOO_LONG, "page_count": str(rendered.pages)}
        files.put(self._files.invalid, key, rendered.pdf, metadata)
        with self._database.transaction() as session:
            write_status(session, letter, "validation-failed", self._now())
        logger.info("letter is too long", notification_id=letter.id, pages=rendered.pages)


def _waits(letter: LetterOfRow) -> bool:
    if letter.is_test:  # has its final status from the start
        return letter.notification_status in ("created", "sending", "delivered")
    return letter.notification_status == "created"
