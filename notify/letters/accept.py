"""Accepts precompiled letters (PDFs) from the public API (contract: public-api 6.5)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple, Self
from uuid import UUID

import structlog

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.errors import ProblemError
from notify.infra.ids import new_id
from notify.infra.json_values import dump_json
from notify.infra.secrets import Encryptor
from notify.infra.times import utc_now
from notify.letters import files
from notify.letters.files import LetterFiles, StoredLetter
from notify.letters.filing import store_with_file
from notify.letters.hidden_template import HiddenTemplate, hidden_template
from notify.letters.rows import PENDING
from notify.letters.virus_scan import VirusScan
from notify.messages.accept.base import Caller
from notify.messages.accept.checks import check_permission
from notify.messages.accept.letter import check_key, new_reference
from notify.messages.models import PERSONALISATION, TO
from notify.messages.store import MessageStore, NewMessage
from notify.services.limits import RateLimiter

logger = structlog.get_logger(__name__)

RECIPIENT: Final = "Provided as PDF"
"""Placeholder of the address until it is read from the PDF."""


class AcceptedPdf(NamedTuple):
    """An accepted letter, for the answer to its sender."""

    id: UUID
    reference: str
    postage: str


class BadContentError(ProblemError):
    """The content is not base64."""

    def __init__(self) -> None:
        super().__init__("Cannot decode letter content (invalid base64 encoding)")


class PdfLetterAcceptor:
    """Accepts precompiled letters. The PDF is checked later."""

    def __init__(
        self,
        database: Database,
        encryptor: Encryptor,
        limits: RateLimiter,
        store: MessageStore,
        letter_files: LetterFiles,
        virus_scan: VirusScan,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._encryptor = encryptor
        self._limits = limits
        self._store = store
        self._files = letter_files
        self._virus_scan = virus_scan
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
            container.get(VirusScan),
        )

    def accept(self, caller: Caller, *, content: str, reference: str, postage: str | None) -> AcceptedPdf:
        """Accept a letter. `content` is the PDF in base64. The file is stored before the row, so that every letter has
        one. Raises a `ProblemError` of `notify.messages.errors`, `BadContentError`, or `LimitExceededError`.
        """
        service, key_type = caller.service, caller.key.key_type
        check_permission(service, "letter")
        template = hidden_template(self._database, service.id)
        check_key(service, key_type)
        try:
            pdf = b64decode(content)
        except (binascii.Error, ValueError):
            raise BadContentError from None
        limit = self._limits.request(service, key_type, "letter")
        self._limits.check(limit)  # before storing the file, which is expensive
        message = self._row(caller, template, reference, postage or template.postage)
        name = files.file_name(message.reference or "", message.postage, message.created_at)
        accepted = AcceptedPdf(message.id, reference, message.postage or template.postage)
        place = StoredLetter(self._files.scan, name)
        store_with_file(self._store, message, limit, place, pdf, caller.kept(accepted))
        if not self._virus_scan.publish(name, service.id):
            logger.warning("letter is scanned later", notification_id=message.id)
        return accepted

    def _row(self, caller: Caller, template: HiddenTemplate, reference: str, postage: str) -> NewMessage:
        id_ = new_id()
        values = dump_json({"address_line_1": RECIPIENT}).decode()
        return NewMessage(
            id=id_,
            to=self._encryptor.encrypt(RECIPIENT, TO, id_),
            service_id=caller.service.id,
            template_id=template.id,
            template_version=template.version,
            personalisation=self._encryptor.encrypt(values, PERSONALISATION, id_),
            api_key_id=caller.key.id,
            key_type=caller.key.key_type,
            notification_type="letter",
            created_at=self._now(),
            notification_status=PENDING,
            client_reference=reference,
            normalised_to="".join(RECIPIENT.split()).lower(),
            reply_to_text="",
            postage=postage,
            reference=new_reference(),
        )
