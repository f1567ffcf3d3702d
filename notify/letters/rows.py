"""Reads rows of letters for the steps of processing, and writes their status."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from notify.branding.models import LetterBranding, ServiceLetterBranding
from notify.infra.secrets import Encryptor
from notify.messages.metrics import messages_became
from notify.messages.models import PERSONALISATION, Notification
from notify.messages.statuses import OPEN_TO_RECEIPTS
from notify.services.models import ServicePermission

PENDING: Final = "pending-virus-check"
PAGES_PER_SHEET: Final = 2


class LetterOfRow(NamedTuple):
    """A letter with its values decrypted: a `files.Letter`. `reply_to_text` is its contact block."""

    id: UUID
    service_id: UUID
    template_id: UUID
    template_version: int
    personalisation: dict[str, Any]
    reply_to_text: str | None
    reference: str | None
    postage: str | None
    created_at: datetime
    key_type: str
    notification_status: str
    billable_units: int

    @property
    def is_test(self) -> bool:
        """Whether the letter is of a test key, and so never printed."""
        return self.key_type == "test"


def find_letter(
    session: Session, encryptor: Encryptor, letter_id: UUID, *, service_id: UUID | None = None
) -> LetterOfRow | None:
    """A letter by its id, of this service if given. `None` if there is no such letter, or it is in the history."""
    letter = _read(session, encryptor, Notification.id == letter_id)
    return None if letter is None or service_id not in (None, letter.service_id) else letter


def find_by_reference(session: Session, encryptor: Encryptor, reference: str) -> LetterOfRow | None:
    """A letter by the reference that is in the name of its PDF, or `None`."""
    return _read(session, encryptor, Notification.reference == reference)


def _read(session: Session, encryptor: Encryptor, which: ColumnElement[bool]) -> LetterOfRow | None:
    query = select(
        Notification.id,
        Notification.service_id,
        Notification.template_id,
        Notification.template_version,
        Notification.personalisation,
        Notification.reply_to_text,
        Notification.reference,
        Notification.postage,
        Notification.created_at,
        Notification.key_type,
        Notification.notification_status,
        Notification.billable_units,
    )
    row = session.execute(query.where(which, Notification.notification_type == "letter").limit(1)).first()
    if row is None:
        return None
    values = encryptor.decrypt_json(row.personalisation, PERSONALISATION, row.id)
    return LetterOfRow(**{**row._mapping, "personalisation": values})


def write_status(session: Session, letter: LetterOfRow, status: str, now: datetime, **values: Any) -> bool:
    """Set the status and further columns of a letter, unless it already has a final status, because a user may have
    cancelled it (contract: letters 8.6). Returns whether it was set. Counts the status in the metrics.
    """
    written = session.scalar(
        update(Notification)
        .where(Notification.id == letter.id, Notification.notification_status.in_(OPEN_TO_RECEIPTS))
        .values(notification_status=status, updated_at=now, **values)
        .returning(Notification.id)
    )
    if written is None:
        return False
    messages_became("letter", letter.key_type, status)
    return True


def logo_of(session: Session, service_id: UUID) -> str | None:
    """The file name, without extension, of the logo on a service's letters."""
    return session.scalar(
        select(LetterBranding.filename)
        .join(ServiceLetterBranding, ServiceLetterBranding.letter_branding_id == LetterBranding.id)
        .where(ServiceLetterBranding.service_id == service_id)
    )


def may_send_abroad(session: Session, service_id: UUID) -> bool:
    """Whether a service may send letters to other countries."""
    found = select(ServicePermission.permission).where(
        ServicePermission.service_id == service_id, ServicePermission.permission == "international_letters"
    )
    return session.scalar(found) is not None


def sheets_of(pages: int) -> int:
    """The number of sheets for a number of pages, printed on both sides (12.4)."""
    return -(-pages // PAGES_PER_SHEET)
