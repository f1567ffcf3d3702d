"""Checks precompiled letters and attachments, and files those that can be printed (contract: letters 7.2 to 7.4, 8.2).


First a letter's file is stored in its place, then its status is written, and only then its original is deleted from
the scan bucket. So a step that was interrupted anywhere can be repeated from its beginning.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote
from uuid import UUID

import structlog

from notify.content.postal_addresses import PostalAddress
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.letters import files
from notify.letters.files import LetterFiles, original_key, upload_key
from notify.letters.rows import (
    PENDING,
    LetterOfRow,
    find_by_reference,
    find_letter,
    may_send_abroad,
    sheets_of,
    write_status,
)
from notify.letters.work import LetterInHandError, PdfWork, WorkersDiedError
from notify.messages.models import TO

if TYPE_CHECKING:
    from notify.letters.precompiled.sanitiser import PdfSanitiser, Sanitised

logger = structlog.get_logger(__name__)


class LetterSanitising:
    """Checks letters after the virus scan, rewrites them for printing and files them."""

    def __init__(
        self,
        database: Database,
        encryptor: Encryptor,
        letter_files: LetterFiles,
        sanitiser: PdfSanitiser,
        work: PdfWork,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._encryptor = encryptor
        self._files = letter_files
        self._sanitiser = sanitiser
        self._work = work
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        from notify.letters.precompiled.sanitiser import PdfSanitiser  # few processes read PDFs

        parts = container.parts
        return cls(
            parts.database,
            parts.encryptor,
            container.get(LetterFiles),
            container.get(PdfSanitiser),
            container.get(PdfWork),
        )

    def check(self, file_name: str) -> None:
        """Check a letter in the scan bucket, and file it for the print run or among the invalid ones. Does nothing for
        a letter in any other status. Raises `ObjectMissingError`, and errors that a retry may solve.
        """
        with self._database.session() as session:
            letter = find_by_reference(session, self._encryptor, files.reference_of(file_name))
            abroad = letter is not None and may_send_abroad(session, letter.service_id)
        if letter is None or letter.notification_status != PENDING:
            logger.info("letter does not wait to be checked", file=file_name)
            return
        try:
            with self._work.on_letter(letter.id):
                pdf = self._files.scan.get(file_name)
                sanitised = self._sanitiser.sanitise(pdf, international=abroad)
                if sanitised.pdf is None:
                    is_written = self._refuse(letter, file_name, pdf, sanitised)
                else:
                    is_written = self._pass(letter, pdf, sanitised.pdf, sanitised)
        except LetterInHandError:
            logger.info("letter is being checked already", notification_id=letter.id)
            return
        except WorkersDiedError:
            logger.error("workers died while they checked a letter", notification_id=letter.id)
            self.give_up(file_name)
            return
        if is_written:
            self._files.scan.delete(file_name)

    def give_up(self, file_name: str) -> None:
        """Fail a letter that could not be checked in any attempt. Its file stays where it is."""
        with self._database.transaction() as session:
            letter = find_by_reference(session, self._encryptor, files.reference_of(file_name))
            if letter is not None and letter.notification_status == PENDING:
                write_status(session, letter, "technical-failure", self._now())
                logger.error("letter could not be checked", notification_id=letter.id)

    def _pass(self, letter: LetterOfRow, original: bytes, pdf: bytes, sanitised: Sanitised) -> bool:
        """File a printable letter, and write its status. Returns whether it was still waiting."""
        recipient = sanitised.recipient_address or ""
        address = PostalAddress(recipient, allow_international=True)
        postage = address.postage_zone if address.international else letter.postage
        filed = letter._replace(postage=postage, notification_status="delivered" if letter.is_test else "created")
        files.put(self._files.originals, original_key(letter.id), original)
        place = self._files.place(filed)
        files.put(place.bucket, place.key, pdf)
        abroad: dict[str, Any] = {"postage": postage, "international": True} if address.international else {}
        with self._database.transaction() as session:
            return write_status(
                session,
                letter,
                filed.notification_status,
                self._now(),
                to=self._encryptor.encrypt(recipient, TO, letter.id),
                normalised_to="".join(recipient.split()).lower(),
                billable_units=sheets_of(sanitised.page_count or 0),
                **abroad,
            )

    def _refuse(self, letter: LetterOfRow, file_name: str, pdf: bytes, sanitised: Sanitised) -> bool:
        """File a letter among the invalid ones, and write its status. Returns whether it was still waiting."""
        files.put(self._files.invalid, file_name, pdf, metadata_of(sanitised))
        logger.info("letter cannot be printed", notification_id=letter.id, message=sanitised.message)
        with self._database.transaction() as session:
            return write_status(session, letter, "validation-failed", self._now(), billable_units=0)

    def check_again(self, letter_id: UUID) -> None:
        """Make the file of a precompiled letter again from its original. Changes nothing if the original is no longer
        stored, or cannot be printed. Raises `LookupError` (no such letter), `ObjectMissingError`.
        """
        with self._database.session() as session:
            letter = find_letter(session, self._encryptor, letter_id)
            if letter is None:
                raise LookupError(f"there is no letter {letter_id}")
            abroad = may_send_abroad(session, letter.service_id)
        with self._work.slot():
            pdf = self._files.originals.get(original_key(letter_id))
            sanitised = self._sanitiser.sanitise(pdf, international=abroad)
        if sanitised.pdf is None:
            logger.error("original of a letter cannot be printed", notification_id=letter_id, message=sanitised.message)
            return
        place = self._files.place(letter)
        files.put(place.bucket, place.key, sanitised.pdf)

    def check_attachment_again(self, service_id: UUID, attachment_id: UUID, filename: str) -> None:
        """Make the file of an attachment again from its original. Changes nothing if that cannot be printed. Raises
        `ObjectMissingError`.
        """
        with self._work.slot():
            pdf = self._files.originals.get(original_key(attachment_id))
            sanitised = self._sanitiser.sanitise(pdf, attachment=True)
        if sanitised.pdf is None:
            logger.error(
                "original of an attachment cannot be printed", attachment_id=attachment_id, message=sanitised.message
            )
            return
        metadata = {"page_count": str(sanitised.page_count), "filename": quote(filename)}
        files.put(self._files.attachments, upload_key(service_id, attachment_id), sanitised.pdf, metadata)


def metadata_of(sanitised: Sanitised) -> dict[str, str]:
    """The metadata of an invalid letter's file (2.3)."""
    metadata = {"message": sanitised.message or ""}
    if sanitised.invalid_pages:
        metadata["invalid_pages"] = json.dumps(list(sanitised.invalid_pages))
    if sanitised.page_count:
        metadata["page_count"] = str(sanitised.page_count)
    return metadata
