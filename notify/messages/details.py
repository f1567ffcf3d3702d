"""Messages with all details that the admin app shows (contract: internal-services 10.1).

A page needs two queries: one finds the ids by the indexes of lists, the other reads the rows, joined with the key, the
sender and the template version of each message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from notify.content.sms_senders import resolve_sender
from notify.infra.secrets import Encryptor
from notify.messages.hooks import job_files
from notify.messages.models import PERSONALISATION, TO
from notify.templates.actions import PRECOMPILED_NAME

_COLUMNS: Final = """
    n.id, n."to", n._personalisation, n.normalised_to, n.service_id, n.job_id, n.job_row_number, n.api_key_id,
    k.name AS key_name, n.key_type, n.notification_type, n.notification_status AS status, n.created_at, n.sent_at,
    n.updated_at, n.sent_by, n.reference, n.client_reference, n.billable_units, n.international, n.phone_prefix,
    n.rate_multiplier, n.created_by_id, u.name AS created_by_name, u.email_address AS created_by_email_address,
    n.reply_to_text, n.document_download_count, n.postage, n.unsubscribe_link, n.template_id, n.template_version,
    t.name AS template_name, t.content, t.subject, t.hidden, t.letter_languages, t.letter_welsh_subject,
    t.letter_welsh_content, t.has_unsubscribe_link, coalesce(r.redact_personalisation, false) AS redact_personalisation,
    CASE n.notification_type
        WHEN 'sms' THEN (SELECT s.sms_sender FROM service_sms_senders s
                         WHERE s.service_id = n.service_id AND s.is_default AND NOT s.archived)
        WHEN 'email' THEN (SELECT e.email_address FROM service_email_reply_to e
                           WHERE e.service_id = n.service_id AND e.is_default AND NOT e.archived)
        ELSE c.contact_block
    END AS default_sender,
    a.id AS attachment_id, a.created_at AS attachment_created_at, a.created_by_id AS attachment_created_by_id,
    a.archived_at AS attachment_archived_at, a.archived_by_id AS attachment_archived_by_id,
    a.original_filename AS attachment_filename, a.page_count AS attachment_page_count
"""
_JOINS: Final = """
LEFT JOIN users u ON u.id = n.created_by_id
LEFT JOIN api_keys k ON k.id = n.api_key_id
LEFT JOIN templates_history t ON t.id = n.template_id AND t.version = n.template_version
LEFT JOIN template_redacted r ON r.template_id = n.template_id
LEFT JOIN service_letter_contacts c ON c.id = t.service_letter_contact_id
LEFT JOIN letter_attachment a ON a.id = t.letter_attachment_id
"""
_BY_IDS: Final = text(
    f"SELECT {_COLUMNS} FROM notifications n {_JOINS} WHERE n.id = ANY(CAST(:ids AS uuid[]))"  # noqa: S608 -- no input
    " ORDER BY n.created_at DESC, n.id DESC"
)


class JobFile(NamedTuple):
    """The job of a message, and the name of its file."""

    id: UUID
    original_file_name: str


class Sender(NamedTuple):
    """The person who sent a message."""

    id: UUID
    name: str
    email_address: str


class UsedAttachment(NamedTuple):
    """The attachment that was printed after a letter."""

    id: UUID
    created_at: datetime
    created_by_id: UUID
    archived_at: datetime | None
    archived_by_id: UUID | None
    original_filename: str
    page_count: int


class UsedTemplate(NamedTuple):
    """The version of a template that a message was made from. `reply_to_text` is the current default sender of the
    service, or the template's contact block.
    """

    id: UUID
    service: UUID
    version: int
    name: str
    template_type: str
    content: str
    subject: str | None
    redact_personalisation: bool
    is_precompiled_letter: bool
    letter_attachment: UsedAttachment | None
    reply_to_text: str | None
    letter_languages: str | None
    letter_welsh_subject: str | None
    letter_welsh_content: str | None
    has_unsubscribe_link: bool


class MessageDetails(NamedTuple):
    """A message for the admin app, with its personal data decrypted."""

    id: UUID
    to: str
    normalised_to: str | None
    service: UUID
    template: UsedTemplate
    job: JobFile | None
    job_row_number: int | None
    api_key: UUID | None
    key_name: str | None
    key_type: str
    notification_type: str
    status: str
    created_at: datetime
    sent_at: datetime | None
    updated_at: datetime | None
    sent_by: str | None
    reference: str | None
    client_reference: str | None
    personalisation: dict[str, Any]
    billable_units: int
    international: bool
    phone_prefix: str | None
    rate_multiplier: Decimal | None
    created_by: Sender | None
    reply_to_text: str | None
    document_download_count: int | None
    postage: str | None
    unsubscribe_link: str | None


def read_details(session: Session, encryptor: Encryptor, ids: Sequence[UUID]) -> list[MessageDetails]:
    """These messages, newest first. Raises `UndecipherableError`."""
    if not ids:
        return []
    rows = session.execute(_BY_IDS, {"ids": list(ids)}).all()
    names = job_files.names(session, {row.job_id for row in rows if row.job_id is not None})
    return [_details(row, encryptor, names) for row in rows]


def _details(row: Any, encryptor: Encryptor, job_names: Mapping[UUID, str]) -> MessageDetails:
    file_name = job_names.get(row.job_id) if row.job_id is not None else None
    return MessageDetails(
        id=row.id,
        to=encryptor.decrypt(row.to, TO, row.id),
        normalised_to=row.normalised_to,
        service=row.service_id,
        template=_template(row),
        job=None if file_name is None else JobFile(row.job_id, file_name),
        job_row_number=row.job_row_number,
        api_key=row.api_key_id,
        key_name=row.key_name,
        key_type=row.key_type,
        notification_type=row.notification_type,
        status=row.status,
        created_at=row.created_at,
        sent_at=row.sent_at,
        updated_at=row.updated_at,
        sent_by=row.sent_by,
        reference=row.reference,
        client_reference=row.client_reference,
        personalisation=encryptor.decrypt_json(row._personalisation, PERSONALISATION, row.id),
        billable_units=row.billable_units,
        international=row.international,
        phone_prefix=row.phone_prefix,
        rate_multiplier=row.rate_multiplier,
        created_by=_sender(row),
        reply_to_text=row.reply_to_text,
        document_download_count=row.document_download_count,
        postage=row.postage,
        unsubscribe_link=row.unsubscribe_link,
    )


def _sender(row: Any) -> Sender | None:
    if row.created_by_id is None or row.created_by_name is None:
        return None
    return Sender(row.created_by_id, row.created_by_name, row.created_by_email_address)


def _attachment(row: Any) -> UsedAttachment | None:
    if row.attachment_id is None:
        return None
    return UsedAttachment(
        id=row.attachment_id,
        created_at=row.attachment_created_at,
        created_by_id=row.attachment_created_by_id,
        archived_at=row.attachment_archived_at,
        archived_by_id=row.attachment_archived_by_id,
        original_filename=row.attachment_filename,
        page_count=row.attachment_page_count,
    )


def _template(row: Any) -> UsedTemplate:
    default = row.default_sender
    return UsedTemplate(
        id=row.template_id,
        service=row.service_id,
        version=row.template_version,
        name=row.template_name or "",
        template_type=row.notification_type,
        content=row.content or "",
        subject=row.subject if row.notification_type != "sms" else None,
        redact_personalisation=row.redact_personalisation,
        is_precompiled_letter=bool(row.hidden) and row.template_name == PRECOMPILED_NAME,
        letter_attachment=_attachment(row),
        reply_to_text=resolve_sender(default) if default and row.notification_type == "sms" else default,
        letter_languages=row.letter_languages,
        letter_welsh_subject=row.letter_welsh_subject,
        letter_welsh_content=row.letter_welsh_content,
        has_unsubscribe_link=bool(row.has_unsubscribe_link),
    )
