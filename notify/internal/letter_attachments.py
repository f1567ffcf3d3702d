"""PDFs that are printed after each letter of a template (contract: internal-users-orgs-templates 8.1)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from notify.internal.fields import Integer, Moment, Uuid
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body
from notify.templates import attachments

routes = Routes("letter_attachments", "/letter-attachment")


class NewAttachment(Body):
    """An uploaded PDF, and the template that it belongs to."""

    upload_id: Uuid
    created_by_id: Uuid
    original_filename: str
    page_count: Integer
    template_id: Uuid


class ArchivedBy(Body):
    """The user who archives it."""

    archived_by: Uuid


class AttachmentAnswer(Answer):
    """An attachment of a letter template."""

    id: UUID
    created_at: Moment
    created_by_id: UUID
    archived_at: Moment | None
    archived_by_id: UUID | None
    original_filename: str
    page_count: int


@routes.get("/<uuid:letter_attachment_id>")
def get_attachment(session: Session, letter_attachment_id: UUID) -> AttachmentAnswer:
    """Get a letter attachment."""
    return AttachmentAnswer.of(attachments.get_attachment(session, letter_attachment_id))


@routes.post("", status=201)
def add_attachment(session: Session, body: NewAttachment) -> AttachmentAnswer:
    """Attach a PDF to a letter template."""
    attachment = attachments.add_attachment(
        session,
        body.upload_id,
        template_id=body.template_id,
        created_by_id=body.created_by_id,
        filename=body.original_filename,
        page_count=body.page_count,
    )
    return AttachmentAnswer.of(attachment)


@routes.post("/<uuid:letter_attachment_id>/archive")
def archive_attachment(session: Session, letter_attachment_id: UUID, body: ArchivedBy) -> None:
    """Remove an attachment from its letter template."""
    attachments.archive_attachment(session, letter_attachment_id, archived_by_id=body.archived_by)
