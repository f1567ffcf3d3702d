"""Validation of templates (contract: internal-users-orgs-templates 5.2). Every function raises an error of
`templates/errors.py` for an invalid value."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from notify.content.gsm import replace_lookalikes
from notify.content.letter import LetterTemplate
from notify.content.qr import QrCodeTooLong
from notify.content.sms import LONGEST_MESSAGE
from notify.content.text import collapse_newlines, normalise_lines, tidy_punctuation
from notify.infra.errors import NotFoundProblemError
from notify.services import queries as services
from notify.services.models import LetterContact, Service
from notify.templates.errors import (
    ContentTooLongError,
    InvalidTemplateError,
    NameTooLongError,
    QrCodeTooLongError,
    TemplateTypeNotAllowedError,
    UnknownFolderError,
    UnknownLetterContactError,
)
from notify.templates.models import Template, TemplateFolder

POSTAGES: Final = ("first", "second", "economy")
"""Values of `postage` of a template. International postage is decided by the address."""

LONGEST_NAME: Final = 255


def check_service(session: Session, service_id: UUID) -> None:
    """The service exists. Raises `NotFoundProblemError`."""
    if session.get(Service, service_id) is None:
        raise NotFoundProblemError


def check_channel(session: Session, service_id: UUID, template_type: str, doing: str) -> None:
    """The service has the permission for messages of this type. `doing` is `Creating` or `Updating`."""
    if template_type not in services.permissions(session, service_id):
        raise TemplateTypeNotAllowedError(doing, template_type)


def check_folder(session: Session, service_id: UUID, folder_id: UUID) -> None:
    """The folder belongs to the service."""
    folder = session.get(TemplateFolder, folder_id)
    if folder is None or folder.service_id != service_id:
        raise UnknownFolderError


def check_contact(session: Session, service_id: UUID, contact_id: UUID | None) -> None:
    """The contact block belongs to the service and is not archived."""
    if contact_id is None:
        return
    contact = session.get(LetterContact, contact_id)
    if contact is None or contact.service_id != service_id or contact.archived:
        raise UnknownLetterContactError(contact_id, service_id)


def check_content(template: Template) -> None:
    """A text message is short enough to be sent; a letter's QR codes can be read."""
    if template.template_type == "sms" and _length_as_typed(template.content) > LONGEST_MESSAGE:
        raise ContentTooLongError(LONGEST_MESSAGE)
    if template.template_type == "letter":
        _check_qr_codes(template)


def check_values(template: Template) -> None:
    """The fields match the template's type, and the name is not too long."""
    if len(template.name) > LONGEST_NAME:
        raise NameTooLongError
    if template.has_unsubscribe_link and template.template_type != "email":
        raise InvalidTemplateError("has_unsubscribe_link", "Only an email can have an unsubscribe link")
    if template.template_type != "letter":
        if template.letter_languages is not None:
            raise InvalidTemplateError("letter_languages", "Only a letter has languages")
    elif template.postage not in POSTAGES:
        raise InvalidTemplateError("postage", f"postage {template.postage} is not one of [{', '.join(POSTAGES)}]")


def check_subject(template: Template) -> None:
    """An email or a letter has a subject."""
    if template.template_type in ("email", "letter") and not (template.subject or "").strip():
        raise InvalidTemplateError("subject", "Invalid template subject")


def _check_qr_codes(template: Template) -> None:
    letter = LetterTemplate(
        template.subject or "",
        template.content,
        welsh_subject=template.letter_welsh_subject,
        welsh_content=template.letter_welsh_content,
        languages=template.letter_languages or "english",
    )
    try:
        letter.check_qr_codes({})
    except QrCodeTooLong:
        raise QrCodeTooLongError from None


def _length_as_typed(content: str) -> int:
    """UTF-16 units of a text message template, cleaned up as for sending, with placeholders counted as typed
    (internal-users-orgs-templates 5.2). The count in content 5.4 differs: it is for previews and sending.
    """
    text = collapse_newlines(normalise_lines(tidy_punctuation(content))).strip()
    return len(replace_lookalikes(text).encode("utf-16-le")) // 2
