"""Queries of templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.services.models import EmailReplyTo, LetterContact, SmsSender
from notify.templates.email_files import CachedFile, files_to_send
from notify.templates.models import Template, TemplateHistory, TemplateRedacted


@dataclass(frozen=True, slots=True)
class CachedTemplate:
    """The fields of a version of a template that sending and the public API need.

    `default_sender_text` is the sender of a message that does not name one, as stored: the service's default text
    message sender or reply-to address; for a letter the template's contact block (public-api 5.5). `languages` is None
    unless the template is a letter.
    """

    id: UUID
    service_id: UUID
    version: int
    type: str
    name: str
    subject: str | None
    content: str
    archived: bool
    hidden: bool
    postage: str | None
    created_at: datetime
    updated_at: datetime | None
    created_by_email: str
    contact_block: str | None
    welsh_subject: str | None
    welsh_content: str | None
    languages: str | None
    has_unsubscribe_link: bool
    redact_personalisation: bool
    attachment_id: UUID | None
    default_sender_text: str | None
    email_files: tuple[CachedFile, ...] = field(default=())
    """Files that its emails link to. Only `load_template` sets them."""


def _templates(source: type[Template] | type[TemplateHistory]) -> Select[*tuple[Any, ...]]:
    sms_sender = (
        select(SmsSender.sms_sender)
        .where(SmsSender.service_id == source.service_id, SmsSender.is_default, SmsSender.archived.is_(False))
        .scalar_subquery()
    )
    reply_to = (
        select(EmailReplyTo.email_address)
        .where(EmailReplyTo.service_id == source.service_id, EmailReplyTo.is_default, EmailReplyTo.archived.is_(False))
        .scalar_subquery()
    )
    return (
        select(
            source.id,
            source.service_id,
            source.version,
            source.template_type.label("type"),
            source.name,
            source.subject,
            source.content,
            source.archived,
            source.hidden,
            source.postage,
            source.created_at,
            source.updated_at,
            User.email_address.label("created_by_email"),
            LetterContact.contact_block,
            source.letter_welsh_subject.label("welsh_subject"),
            source.letter_welsh_content.label("welsh_content"),
            source.letter_languages.label("languages"),
            source.has_unsubscribe_link,
            func.coalesce(TemplateRedacted.redact_personalisation, False).label("redact_personalisation"),
            source.letter_attachment_id.label("attachment_id"),
            case(
                (source.template_type == "sms", sms_sender),
                (source.template_type == "email", reply_to),
                else_=LetterContact.contact_block,
            ).label("default_sender_text"),
        )
        .join(User, User.id == source.created_by_id)
        .outerjoin(
            LetterContact,
            and_(LetterContact.id == source.service_letter_contact_id, source.template_type == "letter"),
        )
        .outerjoin(TemplateRedacted, TemplateRedacted.template_id == source.id)
    )


def load_template(
    session: Session, service_id: UUID, template_id: UUID, version: int | None = None, *, hidden: bool = False
) -> CachedTemplate | None:
    """A service's template, archived or not: the current version (`version` None or 0) or a given one. None if there is
    no such template or version. Hidden templates only with `hidden`.
    """
    source = TemplateHistory if version else Template
    wanted: list[ColumnElement[bool]] = [source.id == template_id, source.service_id == service_id]
    if not hidden:
        wanted.append(source.hidden.is_(False))
    if version:
        wanted.append(source.version == version)
    row = session.execute(_templates(source).where(*wanted)).one_or_none()
    if row is None:
        return None
    files = files_to_send(session, template_id, version) if row.type == "email" else ()
    return CachedTemplate(**row._mapping, email_files=files)


def list_templates(session: Session, service_id: UUID, template_type: str | None = None) -> list[CachedTemplate]:
    """The service's templates of one type, or of all types, that are neither archived nor hidden, by name, then type
    (sms, email, letter).
    """
    query = _templates(Template).where(
        Template.service_id == service_id, Template.archived.is_(False), Template.hidden.is_(False)
    )
    if template_type is not None:
        query = query.where(Template.template_type == template_type)
    rows = session.execute(query.order_by(Template.name, Template.template_type, Template.id))
    return [CachedTemplate(**row._mapping) for row in rows]
