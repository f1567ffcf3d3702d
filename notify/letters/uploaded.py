"""Sends letters that a person uploaded in the admin app, which has checked the PDF (contract: letters 8.3, 13.2)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

import psycopg
import structlog

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.errors import NotFoundProblemError, ProblemError
from notify.infra.json_values import dump_json
from notify.infra.objects import ObjectMissingError
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.infra.validation import parse_uuid
from notify.letters.files import LetterFiles, upload_key
from notify.letters.filing import store_with_file
from notify.letters.hidden_template import HiddenTemplate, hidden_template
from notify.letters.rows import sheets_of
from notify.letters.work import PdfWork
from notify.messages import errors
from notify.messages.accept.checks import check_permission
from notify.messages.accept.letter import new_reference
from notify.messages.accept.one_off import check_member
from notify.messages.models import PERSONALISATION, TO
from notify.messages.queries import find_origin
from notify.messages.store import MessageStore, NewMessage
from notify.services import queries as services
from notify.services.limits import RateLimiter
from notify.services.queries import CachedService

logger = structlog.get_logger(__name__)


class Upload(NamedTuple):
    """A letter that a person sends. `file_id` is the upload's id, and becomes the letter's; `recipient` is the address,
    with a line per line.
    """

    file_id: str
    filename: str
    postage: str
    recipient: str
    created_by_id: UUID


class UploadMissingError(ProblemError):
    """There is no such upload, or its file is not a PDF, although the admin app has checked both."""

    status = 500

    def __init__(self) -> None:
        super().__init__("Internal server error")


class UploadedLetters:
    """Sends uploaded letters. They need no further step before the print run."""

    def __init__(
        self,
        database: Database,
        encryptor: Encryptor,
        limits: RateLimiter,
        store: MessageStore,
        letter_files: LetterFiles,
        work: PdfWork,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._encryptor = encryptor
        self._limits = limits
        self._store = store
        self._files = letter_files
        self._work = work
        self._now = now

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        return cls(
            parts.database,
            parts.encryptor,
            container.get(RateLimiter),
            container.get(MessageStore),
            container.get(LetterFiles),
            container.get(PdfWork),
        )

    def send(self, service_id: UUID, upload: Upload) -> UUID:
        """Send an uploaded letter; returns its id. A second click does not send it again.

        Raises `NotFoundProblemError` (no such service or person, or a malformed id), a `ProblemError` of
        `notify.messages.errors`, `LimitExceededError`, `UploadMissingError`.
        """
        service = self._check(service_id, upload)
        try:
            letter_id = parse_uuid(upload.file_id)
        except ValueError:
            raise NotFoundProblemError from None
        if self._is_sent(letter_id):
            return letter_id
        template = hidden_template(self._database, service_id)
        key = upload_key(service_id, letter_id)
        try:
            pdf, pages = self._read(key)
        except UploadMissingError:
            if self._is_sent(letter_id):  # by another click meanwhile
                return letter_id
            raise
        message = self._row(letter_id, service, template, upload, sheets_of(pages))
        self._file(message, pdf, service)
        self._files.uploads.delete(key)
        return letter_id

    def _check(self, service_id: UUID, upload: Upload) -> CachedService:
        with self._database.session() as session:
            service = services.load_service(session, service_id, self._encryptor)
            if service is None:
                raise NotFoundProblemError
            check_permission(service, "letter")
            self._limits.check_day(service, "normal", "letter")
            check_member(session, service, upload.created_by_id)
        if service.restricted:
            raise errors.TrialModeRecipientError
        return service

    def _is_sent(self, letter_id: UUID) -> bool:
        with self._database.session() as session:
            return find_origin(session, letter_id) is not None

    def _read(self, key: str) -> tuple[bytes, int]:
        """An uploaded file, and its number of pages."""
        from notify.letters.pages import UnreadablePdfError, page_count  # few requests read PDFs

        try:
            pdf = self._files.uploads.get(key)
            with self._work.slot():
                return pdf, page_count(pdf)
        except ObjectMissingError:
            logger.error("file of an uploaded letter is missing", key=key)
            raise UploadMissingError from None
        except UnreadablePdfError:
            logger.error("uploaded letter is no PDF", key=key)
            raise UploadMissingError from None

    def _file(self, message: NewMessage, pdf: bytes, service: CachedService) -> None:
        """Store the file for the print run, then the row, so that no letter is without a file."""
        limit = self._limits.request(service, "normal", "letter")
        # a concurrent second click, whose letter has its own file
        with suppress(psycopg.errors.UniqueViolation):
            store_with_file(self._store, message, limit, self._files.place(message), pdf)

    def _row(
        self, letter_id: UUID, service: CachedService, template: HiddenTemplate, upload: Upload, sheets: int
    ) -> NewMessage:
        values = dump_json({"address_line_1": upload.filename}).decode()
        return NewMessage(
            id=letter_id,
            to=self._encryptor.encrypt(upload.recipient, TO, letter_id),
            service_id=service.id,
            template_id=template.id,
            template_version=template.version,
            personalisation=self._encryptor.encrypt(values, PERSONALISATION, letter_id),
            api_key_id=None,
            key_type="normal",
            notification_type="letter",
            created_at=self._now(),
            notification_status="created",
            client_reference=upload.filename,
            normalised_to="".join(upload.recipient.split()).lower(),
            postage=upload.postage,
            reference=new_reference(),
            created_by_id=upload.created_by_id,
            billable_units=sheets,
        )
