"""Creates and changes templates. Every function flushes; the caller's transaction commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypedDict, Unpack
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from notify.accounts.models import NOTIFY_USER_ID
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_public_id
from notify.infra.times import utc_now
from notify.infra.versions import save_version
from notify.services.models import Service
from notify.templates import rules
from notify.templates.email_files import archive_all_files, archive_files
from notify.templates.errors import InvalidTemplateError
from notify.templates.models import Template, TemplateFolderMap, TemplateRedacted
from notify.vocabulary import TEMPLATE_TYPES

PRECOMPILED_NAME: Final = "Pre-compiled PDF"
_WELSH_TEXTS: Final = ("letter_welsh_subject", "letter_welsh_content")


class TemplateChanges(TypedDict, total=False):
    """The fields of a template that can be changed."""

    name: str
    subject: str | None
    content: str
    postage: str
    letter_languages: str
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
    letter_languages: str | None = None,
    letter_welsh_subject: str | None = None,
    letter_welsh_content: str | None = None,
    has_unsubscribe_link: bool = False,
    service_letter_contact_id: UUID | None = None,
    folder_id: UUID | None = None,
    template_id: UUID | None = None,
) -> Template:
    """Create a template, version 1 (contract: internal-users-orgs-templates 5.2). A letter without `postage` is sent
    second class; without `letter_languages` it is in Welsh and then English if it has Welsh texts, else in English.

    Raises `NotFoundProblemError` (no such service), `TemplateTypeNotAllowedError`, `ContentTooLongError`,
    `QrCodeTooLongError`, `UnknownFolderError`, `UnknownLetterContactError`, `InvalidTemplateError`.
    """
    rules.check_service(session, service_id)
    if template_type not in (*TEMPLATE_TYPES, "broadcast"):
        raise InvalidTemplateError(
            "template_type", f"template_type {template_type} is not one of [{', '.join(TEMPLATE_TYPES)}]"
        )
    if folder_id is not None:
        rules.check_folder(session, service_id, folder_id)
    rules.check_channel(session, service_id, template_type, "Creating")
    is_letter = template_type == "letter"
    if is_letter and letter_languages is None:
        letter_languages = _languages_of(letter_welsh_subject, letter_welsh_content)
    template = Template(
        id=template_id or new_public_id(),
        service_id=service_id,
        template_type=template_type,
        name=name,
        subject=subject,
        content=content,
        created_by_id=created_by_id,
        postage=postage or ("second" if is_letter else None),
        letter_languages=letter_languages,
        letter_welsh_subject=letter_welsh_subject,
        letter_welsh_content=letter_welsh_content,
        has_unsubscribe_link=has_unsubscribe_link,
        service_letter_contact_id=service_letter_contact_id,
        archived=False,
        hidden=False,
    )
    _check_new(session, template)
    _save_new(session, template, folder_id)
    return template


def _languages_of(welsh_subject: str | None, welsh_content: str | None) -> str:
    if (welsh_subject is None) != (welsh_content is None):
        raise InvalidTemplateError("letter_languages", "A letter in Welsh needs both a subject and a content in Welsh")
    return "english" if welsh_subject is None else "welsh_then_english"


def _check_new(session: Session, template: Template) -> None:
    rules.check_content(template)
    rules.check_contact(session, template.service_id, template.service_letter_contact_id)
    if template.subject is None:  # a subject of only spaces is refused in changes, but not here
        rules.check_subject(template)
    rules.check_values(template)


def _save_new(session: Session, template: Template, folder_id: UUID | None = None) -> None:
    save_version(session, template)
    session.add(TemplateRedacted(template_id=template.id, updated_by_id=template.created_by_id))
    if folder_id is not None:
        session.add(TemplateFolderMap(template_id=template.id, template_folder_id=folder_id))
    session.flush()


def lock_template(session: Session, service_id: UUID, template_id: UUID) -> Template:
    """A template of this service that is not hidden and may be changed, locked.

    Raises `NotFoundProblemError`, `TemplateTypeNotAllowedError`.
    """
    wanted = select(Template).where(
        Template.id == template_id, Template.service_id == service_id, Template.hidden.is_(False)
    )
    template = session.scalar(wanted.with_for_update())
    if template is None:
        raise NotFoundProblemError
    rules.check_channel(session, service_id, template.template_type, "Updating")
    return template


def update_template(
    session: Session,
    service_id: UUID,
    template_id: UUID,
    *,
    changed_by_id: UUID,
    **changes: Unpack[TemplateChanges],
) -> Template:
    """Change a template: a new version, unless nothing differs. An archived template is taken out of its folder.

    Raises what `create_template` raises, and `NotFoundProblemError` for a hidden template or one of another service.
    """
    template = lock_template(session, service_id, template_id)
    if all(getattr(template, name) == value for name, value in changes.items()):
        return template
    if "letter_languages" not in changes and any(name in changes for name in _WELSH_TEXTS):
        changes["letter_languages"] = _languages_of(
            changes.get("letter_welsh_subject", template.letter_welsh_subject),
            changes.get("letter_welsh_content", template.letter_welsh_content),
        )
    if "service_letter_contact_id" in changes:
        rules.check_contact(session, service_id, changes["service_letter_contact_id"])
    change_template(session, template, dict(changes), changed_by_id=changed_by_id)
    return template


def change_template(
    session: Session,
    template: Template,
    changes: Mapping[str, Any],
    *,
    changed_by_id: UUID | None = None,
    archived_file_ids: Sequence[UUID] = (),
) -> None:
    """Make `changes` to a locked template: always a new version (internal-users-orgs-templates 5.2, steps 6 to 9). An
    archived template is taken out of its folder and all its files are archived; otherwise `archived_file_ids` are.

    Raises `ContentTooLongError`, `QrCodeTooLongError`, `InvalidTemplateError`, and `NotFoundProblemError` (no such
    file).
    """
    for name, value in changes.items():
        setattr(template, name, value)
    if changed_by_id is not None:
        template.created_by_id = changed_by_id
    with session.no_autoflush:
        rules.check_content(template)
        rules.check_values(template)
        rules.check_subject(template)
    if template.archived:
        session.execute(delete(TemplateFolderMap).where(TemplateFolderMap.template_id == template.id))
    save_version(session, template)
    if template.archived:
        archive_all_files(session, template, archived_by_id=template.created_by_id)
    else:
        archive_files(session, template, archived_file_ids, archived_by_id=template.created_by_id)


def set_letter_contact(
    session: Session, service_id: UUID, template_id: UUID, contact_id: UUID | None, *, changed_by_id: UUID | None = None
) -> Template:
    """Set the contact block of a template, or none: always a new version, also if the block is the same
    (internal-users-orgs-templates 5.2, step 4). A template that is not a letter stores it but does not use it.

    Raises `NotFoundProblemError`, `TemplateTypeNotAllowedError`, `UnknownLetterContactError`.
    """
    template = lock_template(session, service_id, template_id)
    rules.check_contact(session, service_id, contact_id)
    template.service_letter_contact_id = contact_id
    if changed_by_id is not None:
        template.created_by_id = changed_by_id
    save_version(session, template)
    return template


def redact_template(session: Session, service_id: UUID, template_id: UUID, *, changed_by_id: UUID) -> None:
    """Hide the personalisation of a template's messages permanently: no new version (internal-users-orgs-templates 5.2,
    step 3). Raises `NotFoundProblemError`, `TemplateTypeNotAllowedError`.
    """
    lock_template(session, service_id, template_id)
    row = session.get(TemplateRedacted, template_id, with_for_update=True)
    if row is None:
        row = TemplateRedacted(template_id=template_id, redact_personalisation=False, updated_by_id=changed_by_id)
        session.add(row)
    if not row.redact_personalisation:
        row.redact_personalisation = True
        row.updated_at = utc_now()
        row.updated_by_id = changed_by_id
    session.flush()


def precompiled_template(session: Session, service_id: UUID) -> UUID:
    """The service's hidden template for uploaded letters, created if it is missing. Its author is the Notify user.

    Raises `NotFoundProblemError` (no such service).
    """
    hidden = (Template.service_id == service_id, Template.template_type == "letter", Template.hidden)
    find = select(Template.id).where(*hidden).order_by(Template.created_at, Template.id).limit(1)
    if (found := session.scalar(find)) is not None:
        return found
    if session.scalar(select(Service.id).where(Service.id == service_id).with_for_update()) is None:
        raise NotFoundProblemError
    if (found := session.scalar(find)) is not None:  # created by another request in the meantime
        return found
    template = Template(
        id=new_public_id(),
        service_id=service_id,
        template_type="letter",
        name=PRECOMPILED_NAME,
        subject=PRECOMPILED_NAME,
        content="",
        created_by_id=NOTIFY_USER_ID,
        postage="second",
        letter_languages="english",
        has_unsubscribe_link=False,
        archived=False,
        hidden=True,
    )
    _save_new(session, template)
    return template.id


def clear_letter_contact(session: Session, contact_id: UUID) -> None:
    """Remove a contact block from every template that uses it, without new versions (internal-services 6.2)."""
    session.execute(
        update(Template).where(Template.service_letter_contact_id == contact_id).values(service_letter_contact_id=None)
    )


def archive_templates(session: Session, service_id: UUID, *, now: datetime) -> None:
    """Archive every template of a service that is being archived."""
    live = select(Template).where(Template.service_id == service_id, Template.archived.is_(False)).order_by(Template.id)
    for template in session.scalars(live.with_for_update()).all():
        template.archived = True
        save_version(session, template, now=now)
