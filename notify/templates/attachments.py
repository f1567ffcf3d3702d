"""PDFs that are printed after each letter of a template (contract: internal-users-orgs-templates 8.1). This room stores
their details; the admin app puts the file into the object store. Every function flushes; the caller commits.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from notify.infra.errors import NotFoundProblemError
from notify.infra.times import utc_now
from notify.infra.versions import save_version
from notify.templates.errors import (
    AttachmentArchivedError,
    HasAttachmentError,
    NotALetterError,
    UnknownAttachmentError,
)
from notify.templates.models import LetterAttachment, Template


def get_attachment(session: Session, attachment_id: UUID) -> LetterAttachment:
    """An attachment, archived or not. Raises `UnknownAttachmentError`."""
    attachment = session.get(LetterAttachment, attachment_id)
    if attachment is None:
        raise UnknownAttachmentError
    return attachment


def add_attachment(
    session: Session, attachment_id: UUID, *, template_id: UUID, created_by_id: UUID, filename: str, page_count: int
) -> LetterAttachment:
    """Attach a PDF to a letter template. Creates a new version of the template.

    Raises `NotFoundProblemError` (no such template), `HasAttachmentError`, `NotALetterError`.
    """
    template = session.get(Template, template_id, with_for_update=True)
    if template is None:
        raise NotFoundProblemError
    if template.letter_attachment_id is not None:
        raise HasAttachmentError
    if template.template_type != "letter":
        raise NotALetterError
    attachment = LetterAttachment(
        id=attachment_id, created_by_id=created_by_id, original_filename=filename, page_count=page_count
    )
    session.add(attachment)
    session.flush()
    template.letter_attachment_id = attachment_id
    save_version(session, template)
    return attachment


def archive_attachment(session: Session, attachment_id: UUID, *, archived_by_id: UUID) -> None:
    """Archive an attachment and remove it from its template. Creates a new version of the template.

    Raises `UnknownAttachmentError`, `AttachmentArchivedError`.
    """
    find = select(Template).where(Template.letter_attachment_id == attachment_id)
    template = session.scalar(find.with_for_update())
    attachment = session.get(LetterAttachment, attachment_id, with_for_update=True)
    if attachment is None:
        raise UnknownAttachmentError
    if attachment.archived_at is not None:
        raise AttachmentArchivedError
    attachment.archived_at, attachment.archived_by_id = utc_now(), archived_by_id
    if template is not None:
        template.letter_attachment_id = None
        save_version(session, template)
    session.flush()
