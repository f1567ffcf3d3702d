"""Stores files and returns them (contract: public-api 5.6).

Each file is encrypted with its own key, which is only in its link: the database, the object store and backups of both
are not enough to read it.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self
from uuid import UUID

import orjson
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import case, or_, select, update

from notify.documents.files import FileToSend
from notify.documents.models import Document
from notify.documents.settings import DocumentSettings
from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.ids import new_id
from notify.infra.objects import ObjectMissingError, Objects
from notify.infra.times import utc_now
from notify.settings import Settings

MOST_ATTEMPTS: Final = 10
LOCKED_FOR: Final = timedelta(hours=1)
"""After `MOST_ATTEMPTS` wrong addresses, no address is accepted for this time. That bounds guesses to 240 a day, and
lets the recipient in again.
"""
NONCE_BYTES: Final = 12
EXPIRED_AT_A_TIME: Final = 500


class DocumentNotFoundError(Exception):
    """There is no such document, or the key in the link does not fit."""


class DocumentGoneError(Exception):
    """The document's retention period is over."""


@dataclass(frozen=True, slots=True)
class DocumentDescription:
    """What a download page shows about a file. `size` is in bytes."""

    id: UUID
    service_id: UUID
    filename: str
    mime_type: str
    extension: str
    size: int
    available_until: datetime
    needs_confirmation: bool
    is_locked: bool


class DocumentStore:
    """Stores documents."""

    def __init__(self, settings: Settings, database: Database, objects: Objects) -> None:
        self._base = settings.part(DocumentSettings).documents_base_url
        self._database = database
        self._objects = objects
        self._hasher = PasswordHasher()

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        return cls(parts.settings, parts.database, parts.objects)

    def simulated_link(self, service_id: UUID) -> str:
        """The link in a message to a simulated recipient: it leads nowhere."""
        return f"{self._base}/services/{service_id}/documents/test-document"

    def keep(self, service_id: UUID, file: FileToSend, *, confirmation_email: str | None) -> str:
        """Store a file, and return its link. If `file` asks for it, opening it needs `confirmation_email` too."""
        id_, key, now = new_id(), AESGCM.generate_key(bit_length=256), utc_now()
        cipher = AESGCM(key)
        self._objects.put(_object_key(service_id, id_), _seal(cipher, file.content))
        must_confirm = file.confirm_email and confirmation_email is not None
        description = {
            "filename": file.filename or f"{id_}{file.extension}",
            "mime_type": file.mime_type,
            "extension": file.extension,
            "size": len(file.content),
        }
        with self._database.transaction() as session:
            session.add(
                Document(
                    id=id_,
                    service_id=service_id,
                    created_at=now,
                    available_until=now + timedelta(weeks=file.retention_weeks),
                    confirmation_hash=self._hasher.hash(confirmation_email or "") if must_confirm else None,
                    description=_seal(cipher, orjson.dumps(description)),
                )
            )
        return f"{self._base}/d/{_encode(service_id.bytes)}/{_encode(id_.bytes)}?key={_encode(key)}"

    def describe(self, service_id: UUID, document_id: UUID, key: str) -> DocumentDescription:
        """The description to show before a download. Raises `DocumentNotFoundError`, `DocumentGoneError`."""
        with self._database.session() as session:
            row = session.scalar(select(Document).where(Document.id == document_id, Document.service_id == service_id))
        if row is None:
            raise DocumentNotFoundError
        plain, now = orjson.loads(_open(key, row.description)), utc_now()
        if row.available_until <= now:
            raise DocumentGoneError
        return DocumentDescription(
            id=row.id,
            service_id=row.service_id,
            available_until=row.available_until,
            needs_confirmation=row.confirmation_hash is not None,
            is_locked=row.confirmation_attempts >= MOST_ATTEMPTS and _is_recent(row.confirmation_attempted_at, now),
            **plain,
        )

    def confirm(self, document_id: UUID, address: str) -> bool:
        """Whether the file was sent to this address. After `MOST_ATTEMPTS` wrong ones, each within `LOCKED_FOR` of the
        one before, the answer is False for any address during `LOCKED_FOR`.
        """
        now = utc_now()
        is_old = Document.confirmation_attempted_at <= now - LOCKED_FOR
        with self._database.transaction() as session:
            hash_ = session.scalar(
                update(Document)
                .where(Document.id == document_id, or_(Document.confirmation_attempts < MOST_ATTEMPTS, is_old))
                .values(
                    confirmation_attempts=case((is_old, 1), else_=Document.confirmation_attempts + 1),
                    confirmation_attempted_at=now,
                )
                .returning(Document.confirmation_hash)
            )
        if hash_ is None:
            return False
        try:
            self._hasher.verify(hash_, address)
        except (VerificationError, InvalidHashError):
            return False
        with self._database.transaction() as session:
            session.execute(update(Document).where(Document.id == document_id).values(confirmation_attempts=0))
        return True

    def content(self, service_id: UUID, document_id: UUID, key: str) -> bytes:
        """The file. Raises `DocumentNotFoundError`."""
        try:
            return _open(key, self._objects.get(_object_key(service_id, document_id)))
        except ObjectMissingError:
            raise DocumentNotFoundError from None

    def delete_expired(self, now: datetime) -> int:
        """Delete the files whose retention period is over; returns their number. A row is deleted after its file, so
        that no file is left behind.
        """
        number = 0
        while True:
            with self._database.transaction() as session:
                rows = session.scalars(
                    select(Document)
                    .where(Document.available_until <= now)
                    .order_by(Document.available_until)
                    .limit(EXPIRED_AT_A_TIME)
                    .with_for_update(skip_locked=True)
                ).all()
                for row in rows:
                    self._objects.delete(_object_key(row.service_id, row.id))
                    session.delete(row)
            number += len(rows)
            if len(rows) < EXPIRED_AT_A_TIME:
                return number


def decode_id(text: str) -> UUID:
    """The id in a link. Raises `DocumentNotFoundError`."""
    try:
        return UUID(bytes=_decode(text))
    except ValueError:
        raise DocumentNotFoundError from None


def _is_recent(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment > now - LOCKED_FOR


def _object_key(service_id: UUID, document_id: UUID) -> str:
    return f"documents/{service_id}/{document_id}"


def _encode(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii", "replace") + b"==")


def _seal(cipher: AESGCM, content: bytes) -> bytes:
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, content, None)


def _open(key: str, sealed: bytes) -> bytes:
    try:
        return AESGCM(_decode(key)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], None)
    except (ValueError, InvalidTag):
        raise DocumentNotFoundError from None
