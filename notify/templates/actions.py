"""Changing templates. Every function flushes; the caller's transaction commits."""

from __future__ import annotations

from datetime import datetime
from typing import Final, TypedDict, Unpack
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from notify.content.gsm import replace_lookalikes
from notify.content.letter import LetterTemplate
from notify.content.qr import QrCodeTooLong
from notify.content.sms import LONGEST_MESSAGE
from notify.content.text import collapse_newlines, normalise_lines, tidy_punctuation
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_public_id
from notify.infra.times import utc_now
from notify.infra.versions import save_version
from notify.services import queries as services
from notify.services.models import LetterContact, Service
from notify.templates.errors import (
    ContentTooLongError,
    InvalidTemplateError,
    QrCodeTooLongError,
    TemplateTypeNotAllowedError,
    UnknownFolderError,
    UnknownLetterContactError,
)
from notify.templates.models import Template, TemplateFolder, TemplateFolderMap, TemplateRedacted
from notify.vocabulary import TEMPLATE_TYPES

POSTAGES: Final = ("first", "second", "economy")
"""Classes of post a template may choose; abroad is decided by the address."""


class TemplateChanges(TypedDict, total=False):
    """What of a template may be changed."""

    name: str
    subject: str | None
    content: str
    postage: str
    letter_welsh_subject: str | None
    letter_welsh_content: str | None
    has_unsubscribe_link: bool
    service_letter_contact_id: UUID | None
    archived: bool


def create_template(
    session: Session,
    *,
    service_id: UUID,
    template_type: str,
    name: str,
    content: str,
    created_by_id: UUID,
    subject: str | None = None,
    postage: str | None = None,
    letter_welsh_subject: str | None = None,
    letter_welsh_content: str | None = None,
    has_unsubscribe_link: bool = False,
    service_letter_contact_id: UUID | None = None,
    folder_id: UUID | None = None,
    template_id: UUID | None = None,
) -> Template:
    """Create a template, version 1 (contract: internal-users-orgs-templates 5.2). A letter is in English, or in Welsh
    and then English when it has Welsh texts; without a class of post it goes second class.

    Raises `NotFoundProblemError` (no such service), `TemplateTypeNotAllowedError`, `ContentTooLongError`,
    `QrCodeTooLongError`, `UnknownFolderError`, `UnknownLetterContactError`, `InvalidTemplateError`.
    """
    if session.get(Service, service_id) is None:
        raise NotFoundProblemError
    if template_type not in TEMPLATE_TYPES:
        raise InvalidTemplateError(
            "template_type", f"template_type {template_type} is not one of [{', '.join(TEMPLATE_TYPES)}]"
        )
    is_letter = template_type == "letter"
    template = Template(
        id=template_id or new_public_id(),
        service_id=service_id,
        template_type=template_type,
        name=name,
        subject=subject,
        content=content,
        created_by_id=created_by_id,
        postage=postage or ("second" if is_letter else None),
        letter_welsh_subject=letter_welsh_subject,
        letter_welsh_content=letter_welsh_content,
        has_unsubscribe_link=has_unsubscribe_link,
        service_letter_contact_id=service_letter_contact_id,
        archived=False,
        hidden=False,
    )
    if folder_id is not None:
        _check_folder(session, service_id, folder_id)
    _check_channel(session, service_id, template_type, "Creating")
    _check(session, template)
    save_version(session, template)
    session.add(TemplateRedacted(template_id=template.id, updated_by_id=created_by_id))
    if folder_id is not None:
        session.add(TemplateFolderMap(template_id=template.id, template_folder_id=folder_id))
    session.flush()
    return template


def update_template(
    session: Session,
    service_id: UUID,
    template_id: UUID,
    *,
    changed_by_id: UUID,
    **changes: Unpack[TemplateChanges],
) -> Template:
    """Change a template: a new version, unless nothing differs. An archived template leaves its folder.

    Raises what `create_template` does, and `NotFoundProblemError` for a hidden template or one of another service.
    """
    template = _lock(session, service_id, template_id)
    _check_channel(session, service_id, template.template_type, "Updating")
    if all(getattr(template, name) == value for name, value in changes.items()):
        return template
    for name, value in changes.items():
        setattr(template, name, value)
    template.created_by_id = changed_by_id
    with session.no_autoflush:
        _check(session, template)
    if template.archived:
        session.execute(delete(TemplateFolderMap).where(TemplateFolderMap.template_id == template_id))
    save_version(session, template)
    return template


def set_letter_contact(
    session: Session, service_id: UUID, template_id: UUID, contact_id: UUID | None, *, changed_by_id: UUID | None = None
) -> Template:
    """Choose the contact block of a letter template, or none: always a new version, also when it is the same block
    (internal-users-orgs-templates 5.2, step 4).

    Raises `NotFoundProblemError`, `TemplateTypeNotAllowedError`, `UnknownLetterContactError`, `InvalidTemplateError`.
    """
    template = _lock(session, service_id, template_id)
    _check_channel(session, service_id, template.template_type, "Updating")
    template.service_letter_contact_id = contact_id
    if changed_by_id is not None:
        template.created_by_id = changed_by_id
    with session.no_autoflush:
        _check(session, template)
    save_version(session, template)
    return template


def redact_template(session: Session, service_id: UUID, template_id: UUID, *, changed_by_id: UUID) -> None:
    """Hide the personalisation of a template's messages, for good: no new version (internal-users-orgs-templates 5.2,
    step 3). Raises `NotFoundProblemError`, `TemplateTypeNotAllowedError`.
    """
    template = _lock(session, service_id, template_id)
    _check_channel(session, service_id, template.template_type, "Updating")
    row = session.get(TemplateRedacted, template_id, with_for_update=True)
    if row is None:
        row = TemplateRedacted(template_id=template_id, redact_personalisation=False, updated_by_id=changed_by_id)
        session.add(row)
    if not row.redact_personalisation:
        row.redact_personalisation = True
        row.updated_at = utc_now()
        row.updated_by_id = changed_by_id
    session.flush()


def clear_letter_contact(session: Session, contact_id: UUID) -> None:
    """Take a contact block from every template that uses it, which makes no new versions (internal-services 6.2)."""
    session.execute(
        update(Template).where(Template.service_letter_contact_id == contact_id).values(service_letter_contact_id=None)
    )


def archive_templates(session: Session, service_id: UUID, *, now: datetime) -> None:
    """Archive every template of a service, when the service is archived."""
    live = select(Template).where(Template.service_id == service_id, Template.archived.is_(False)).order_by(Template.id)
    for template in session.scalars(live.with_for_update()).all():
        template.archived = True
        save_version(session, template, now=now)


def _lock(session: Session, service_id: UUID, template_id: UUID) -> Template:
    """A template of this service that is not hidden, locked. Raises `NotFoundProblemError`."""
    wanted = select(Template).where(
        Template.id == template_id, Template.service_id == service_id, Template.hidden.is_(False)
    )
    template = session.scalar(wanted.with_for_update())
    if template is None:
        raise NotFoundProblemError
    return template


def _check_channel(session: Session, service_id: UUID, template_type: str, doing: str) -> None:
    if template_type not in services.permissions(session, service_id):
        raise TemplateTypeNotAllowedError(doing, template_type)


def _check_folder(session: Session, service_id: UUID, folder_id: UUID) -> None:
    folder = session.get(TemplateFolder, folder_id)
    if folder is None or folder.service_id != service_id:
        raise UnknownFolderError


def _check(session: Session, template: Template) -> None:
    """The rules of a template by itself; settles the language of a letter."""
    if len(template.name) > 255:
        raise InvalidTemplateError("name", "Longer than maximum length 255.")
    if template.template_type == "sms":
        _check_text_message(template)
    elif not (template.subject or "").strip():
        raise InvalidTemplateError("subject", "Invalid template subject")
    if template.has_unsubscribe_link and template.template_type != "email":
        raise InvalidTemplateError("has_unsubscribe_link", "Only an email can have an unsubscribe link")
    if template.template_type == "letter":
        _check_letter(session, template)
    else:
        _refuse_parts_of_letters(template)


def _check_text_message(template: Template) -> None:
    if template.subject is not None:
        raise InvalidTemplateError("subject", "A text message has no subject")
    if _length_as_typed(template.content) > LONGEST_MESSAGE:
        raise ContentTooLongError(LONGEST_MESSAGE)


def _refuse_parts_of_letters(template: Template) -> None:
    if template.postage is not None:
        raise InvalidTemplateError("postage", "Only a letter has a class of post")
    if (template.letter_welsh_subject, template.letter_welsh_content) != (None, None):
        raise InvalidTemplateError("letter_languages", "Only a letter has texts in Welsh")
    if template.service_letter_contact_id is not None:
        raise InvalidTemplateError("reply_to", "Only a letter has a contact block")


def _check_letter(session: Session, template: Template) -> None:
    if template.postage not in POSTAGES:
        raise InvalidTemplateError("postage", f"postage {template.postage} is not one of [{', '.join(POSTAGES)}]")
    welsh = (template.letter_welsh_subject is not None, template.letter_welsh_content is not None)
    if welsh[0] != welsh[1]:
        raise InvalidTemplateError("letter_languages", "A letter in Welsh needs both a subject and a content in Welsh")
    template.letter_languages = "welsh_then_english" if all(welsh) else "english"
    letter = LetterTemplate(
        template.subject or "",
        template.content,
        welsh_subject=template.letter_welsh_subject,
        welsh_content=template.letter_welsh_content,
        languages=template.letter_languages,
    )
    try:
        letter.check_qr_codes({})
    except QrCodeTooLong:
        raise QrCodeTooLongError from None
    _check_contact(session, template)


def _length_as_typed(content: str) -> int:
    """UTF-16 units of a text message's template, cleaned up as for sending, with its placeholders counted as typed
    (internal-users-orgs-templates 5.2). Content 5.4 differs: it is about showing and sending.
    """
    text = collapse_newlines(normalise_lines(tidy_punctuation(content))).strip()
    return len(replace_lookalikes(text).encode("utf-16-le")) // 2


def _check_contact(session: Session, template: Template) -> None:
    contact_id = template.service_letter_contact_id
    if contact_id is None:
        return
    contact = session.get(LetterContact, contact_id)
    if contact is None or contact.service_id != template.service_id or contact.archived:
        raise UnknownLetterContactError(contact_id, template.service_id)
