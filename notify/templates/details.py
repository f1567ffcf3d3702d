"""Templates and their versions as the internal API shows them (contract: internal-users-orgs-templates 5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.orm import Session, aliased

from notify.accounts.models import User
from notify.content.email import EmailTemplate
from notify.content.letter import LetterTemplate
from notify.content.sms import SmsTemplate
from notify.content.sms_senders import resolve_sender
from notify.infra.errors import NotFoundProblemError
from notify.services.models import EmailReplyTo, LetterContact, SmsSender
from notify.templates.actions import PRECOMPILED_NAME
from notify.templates.email_files import files_of_versions, list_files
from notify.templates.errors import MissingValuesError
from notify.templates.models import (
    EmailFile,
    EmailFileHistory,
    LetterAttachment,
    Template,
    TemplateFolderMap,
    TemplateHistory,
    TemplateRedacted,
)


class Author(NamedTuple):
    """The author of a version."""

    id: UUID
    name: str
    email_address: str


@dataclass(slots=True)
class TemplateDetails:
    """A template, or one of its versions. Folder, redaction and sender are always the current ones. `email_files` are
    the files of an email template in that version.
    """

    id: UUID
    service: UUID
    version: int
    name: str
    template_type: str
    content: str
    subject: str | None
    created_at: datetime
    updated_at: datetime | None
    archived: bool
    hidden: bool
    postage: str | None
    letter_languages: str | None
    letter_welsh_subject: str | None
    letter_welsh_content: str | None
    has_unsubscribe_link: bool
    service_letter_contact: UUID | None
    contact_block: str | None
    sender: str | None
    folder: UUID | None
    template_redacted: UUID | None
    redact_personalisation: bool
    author_id: UUID
    author_name: str
    author_email_address: str
    letter_attachment: LetterAttachment | None
    email_files: Sequence[EmailFile | EmailFileHistory] = field(default=())

    @property
    def created_by(self) -> UUID:
        """The author's id."""
        return self.author_id

    @property
    def author(self) -> Author:
        """The author, with name and address."""
        return Author(self.author_id, self.author_name, self.author_email_address)

    @property
    def is_precompiled_letter(self) -> bool:
        """Whether this is the template for uploaded letters."""
        return is_precompiled(self.template_type, self.name, hidden=self.hidden)

    @property
    def reply_to(self) -> UUID | None:
        """The contact block of a letter."""
        return self.service_letter_contact if self.template_type == "letter" else None

    @property
    def reply_to_text(self) -> str | None:
        """The sender of messages that do not name one."""
        if self.template_type == "letter":
            return self.contact_block
        if self.template_type == "sms" and self.sender is not None:
            return resolve_sender(self.sender)
        return self.sender


class ListedTemplate(NamedTuple):
    """A template in the service's list. `content` is set for emergency alerts only (contract: broadcasts 1)."""

    id: UUID
    name: str
    template_type: str
    folder: UUID | None
    content: str | None
    is_precompiled_letter: bool


class FilledTemplate(NamedTuple):
    """A template's texts with the placeholders replaced."""

    content: str
    subject: str | None


def is_precompiled(template_type: str, name: str, *, hidden: bool) -> bool:
    """Whether a template is the one for uploaded letters."""
    return hidden and template_type == "letter" and name == PRECOMPILED_NAME


def template_details(session: Session, service_id: UUID, template_id: UUID, *, hidden: bool = False) -> TemplateDetails:
    """The current version of a service's template, archived or not. Raises `NotFoundProblemError`; also for a hidden
    one, unless `hidden`.
    """
    wanted = [Template.id == template_id, Template.service_id == service_id]
    if not hidden:
        wanted.append(Template.hidden.is_(False))
    row = session.execute(_details(Template).where(*wanted)).one_or_none()
    if row is None:
        raise NotFoundProblemError
    details = TemplateDetails(**row._mapping)
    if details.template_type == "email":
        details.email_files = list_files(session, template_id)
    return details


def version_details(session: Session, service_id: UUID, template_id: UUID, version: int) -> TemplateDetails:
    """A version of a service's template, hidden or not. Raises `NotFoundProblemError`."""
    found = _versions(session, service_id, template_id, TemplateHistory.version == version)
    if not found:
        raise NotFoundProblemError
    return found[0]


def list_versions(session: Session, service_id: UUID, template_id: UUID) -> list[TemplateDetails]:
    """All versions of a service's template, newest first; empty if there is no such template."""
    return _versions(session, service_id, template_id)


def list_service_templates(session: Session, service_id: UUID) -> list[ListedTemplate]:
    """A service's templates that are neither archived nor hidden, by name, then type (sms, email, letter)."""
    query = (
        select(
            Template.id,
            Template.name,
            Template.template_type,
            TemplateFolderMap.template_folder_id.label("folder"),
            case((Template.template_type == "broadcast", Template.content)).label("content"),
        )
        .outerjoin(TemplateFolderMap, TemplateFolderMap.template_id == Template.id)
        .where(Template.service_id == service_id, Template.archived.is_(False), Template.hidden.is_(False))
        .order_by(Template.name, Template.template_type, Template.id)
    )
    # hidden templates are not listed, so none is the one for uploaded letters
    return [ListedTemplate(**row._mapping, is_precompiled_letter=False) for row in session.execute(query)]


def fill(details: TemplateDetails, values: dict[str, str]) -> FilledTemplate:
    """The texts filled in with `values`; Markdown is kept. Raises `MissingValuesError`, `TooMuchTextError`."""
    text = _text(details)
    if missing := text.missing(values):
        raise MissingValuesError(missing)
    if isinstance(text, SmsTemplate):
        return FilledTemplate(text.render(values).body, None)
    return FilledTemplate(text.body(values), text.subject(values))


def _text(details: TemplateDetails) -> SmsTemplate | EmailTemplate | LetterTemplate:
    if details.template_type in ("sms", "broadcast"):
        return SmsTemplate(details.content)
    if details.template_type == "email":
        return EmailTemplate(details.subject or "", details.content)
    return LetterTemplate(
        details.subject or "",
        details.content,
        welsh_subject=details.letter_welsh_subject,
        welsh_content=details.letter_welsh_content,
        languages=details.letter_languages or "english",
        contact_block=details.contact_block or "",
    )


def _versions(
    session: Session, service_id: UUID, template_id: UUID, *conditions: ColumnElement[bool]
) -> list[TemplateDetails]:
    query = _details(TemplateHistory).where(
        TemplateHistory.id == template_id, TemplateHistory.service_id == service_id, *conditions
    )
    rows = session.execute(query.order_by(TemplateHistory.version.desc()))
    found = [TemplateDetails(**row._mapping) for row in rows]
    if found and found[0].template_type == "email":
        files = files_of_versions(session, template_id, [details.version for details in found])
        for details in found:
            details.email_files = files[details.version]
    return found


_Attachment = aliased(LetterAttachment, name="letter_attachment")
"""Named as the field of `TemplateDetails` that it fills."""

_COLUMNS: Final = (
    "id",
    "version",
    "name",
    "template_type",
    "content",
    "subject",
    "created_at",
    "updated_at",
    "archived",
    "hidden",
    "postage",
    "letter_languages",
    "letter_welsh_subject",
    "letter_welsh_content",
    "has_unsubscribe_link",
)


def _details(source: type[Template] | type[TemplateHistory]) -> Select[*tuple[Any, ...]]:
    sms_sender = (
        select(SmsSender.sms_sender)
        .where(SmsSender.service_id == source.service_id, SmsSender.is_default, SmsSender.archived.is_(False))
        .limit(1)
        .scalar_subquery()
    )
    reply_to = (
        select(EmailReplyTo.email_address)
        .where(EmailReplyTo.service_id == source.service_id, EmailReplyTo.is_default, EmailReplyTo.archived.is_(False))
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            *(getattr(source, name) for name in _COLUMNS),
            source.service_id.label("service"),
            source.service_letter_contact_id.label("service_letter_contact"),
            LetterContact.contact_block,
            case((source.template_type == "sms", sms_sender), (source.template_type == "email", reply_to)).label(
                "sender"
            ),
            TemplateFolderMap.template_folder_id.label("folder"),
            TemplateRedacted.template_id.label("template_redacted"),
            func.coalesce(TemplateRedacted.redact_personalisation, False).label("redact_personalisation"),
            User.id.label("author_id"),
            User.name.label("author_name"),
            User.email_address.label("author_email_address"),
            _Attachment,
        )
        .join(User, User.id == source.created_by_id)
        .outerjoin(LetterContact, LetterContact.id == source.service_letter_contact_id)
        .outerjoin(TemplateFolderMap, TemplateFolderMap.template_id == source.id)
        .outerjoin(TemplateRedacted, TemplateRedacted.template_id == source.id)
        .outerjoin(_Attachment, _Attachment.id == source.letter_attachment_id)
    )
