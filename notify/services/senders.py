"""Senders of a service: text message senders, reply-to addresses, contact blocks of letters.

Rows are never deleted, only archived. A service has at most one default of each kind; a new default replaces the old
one. Every function flushes; the caller's transaction commits.
"""

from __future__ import annotations

import re
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notify.content.email_addresses import InvalidEmailAddress, validate
from notify.infra.errors import NotFoundProblemError
from notify.infra.ids import new_public_id
from notify.infra.times import utc_now
from notify.services import hooks
from notify.services.errors import (
    DefaultNeededError,
    DefaultSenderError,
    DuplicateReplyToError,
    InboundNumberSenderError,
    InvalidReplyToError,
    InvalidSmsSenderError,
    SenderIsInboundNumberError,
)
from notify.services.models import EmailReplyTo, LetterContact, SmsSender
from notify.services.service import lock_service

_S = TypeVar("_S", SmsSender, EmailReplyTo, LetterContact)

SMS_SENDER: Final = "sms sender"
REPLY_TO: Final = "reply to email address"
LONGEST_SMS_SENDER: Final = 11
_SHOWN_AS_IT_IS = re.compile(r"[a-zA-Z0-9 &.\-_]{3,11}")


# -- text message senders (contract: internal-services 6.3)


def check_sms_sender(text: str) -> None:
    """Check that networks can show this sender: 3 to 11 letters, digits, blanks and `& . - _`, not beginning with `00`.
    The admin app and our commands check this; the API itself does not. Raises `InvalidSmsSenderError`.
    """
    if len(text) > LONGEST_SMS_SENDER:
        raise InvalidSmsSenderError("A text message sender has at most 11 characters")
    if len(text) < 3:
        raise InvalidSmsSenderError("A text message sender has at least 3 characters")
    if not _SHOWN_AS_IT_IS.fullmatch(text):
        raise InvalidSmsSenderError("A text message sender is made of letters, digits, blanks and & . - _")
    if text.startswith("00"):
        raise InvalidSmsSenderError("A text message sender does not begin with 00")


def list_sms_senders(session: Session, service_id: UUID) -> list[SmsSender]:
    """A service's text message senders, the default first, then the newest first."""
    return _list(session, SmsSender, service_id)


def get_sms_sender(session: Session, service_id: UUID, sender_id: UUID) -> SmsSender:
    """A text message sender. Raises `NotFoundProblemError`, also when it is archived or another service's."""
    return _get(session, SmsSender, service_id, sender_id)


def add_sms_sender(session: Session, service_id: UUID, text: str, *, is_default: bool) -> SmsSender:
    """Add a text message sender; its characters are not checked.

    Raises `NotFoundProblemError`, also for a text longer than 11 characters, and `DefaultNeededError`.
    """
    lock_service(session, service_id)
    _check_sms_length(text)
    _settle_default(session, SmsSender, service_id, is_default, SMS_SENDER)
    sender = SmsSender(id=new_public_id(), service_id=service_id, sms_sender=text, is_default=is_default)
    session.add(sender)
    session.flush()
    return sender


def update_sms_sender(session: Session, service_id: UUID, sender_id: UUID, text: str, *, is_default: bool) -> SmsSender:
    """Change a text message sender. One that is an inbound number keeps its text.

    Raises `NotFoundProblemError`, also for a text longer than 11 characters, `InboundNumberSenderError`,
    `DefaultNeededError`.
    """
    lock_service(session, service_id)
    sender = _get(session, SmsSender, service_id, sender_id)
    _check_sms_length(text)
    if sender.inbound_number_id is not None and text != sender.sms_sender:
        raise InboundNumberSenderError(service_id)
    _keep_a_default(sender, is_default, SMS_SENDER)
    _settle_default(session, SmsSender, service_id, is_default, SMS_SENDER)
    sender.sms_sender = text
    sender.is_default = is_default
    session.flush()
    return sender


def archive_sms_sender(session: Session, service_id: UUID, sender_id: UUID) -> SmsSender:
    """Archive a text message sender, if not archived yet.

    Raises `NotFoundProblemError`, `SenderIsInboundNumberError`, `DefaultSenderError`.
    """
    lock_service(session, service_id)
    sender = _get(session, SmsSender, service_id, sender_id, archived=True)
    if sender.inbound_number_id is not None:
        raise SenderIsInboundNumberError
    if sender.is_default:
        raise DefaultSenderError(SMS_SENDER)
    sender.archived = True
    session.flush()
    return sender


def _check_sms_length(text: str) -> None:
    # as in the contract: a text that is too long for the column gives "not found"
    if len(text) > LONGEST_SMS_SENDER:
        raise NotFoundProblemError


# -- reply-to addresses (contract: internal-services 6.1)


def list_reply_tos(session: Session, service_id: UUID) -> list[EmailReplyTo]:
    """A service's reply-to addresses, the default first, then the newest first."""
    return _list(session, EmailReplyTo, service_id)


def get_reply_to(session: Session, service_id: UUID, reply_to_id: UUID) -> EmailReplyTo:
    """A reply-to address. Raises `NotFoundProblemError`, also when it is archived or another service's."""
    return _get(session, EmailReplyTo, service_id, reply_to_id)


def check_new_reply_to(session: Session, service_id: UUID, email_address: str) -> None:
    """Check that an address could be added to a service's reply-to addresses.

    Raises `InvalidReplyToError`, `DuplicateReplyToError`.
    """
    if not is_email_address(email_address):
        raise InvalidReplyToError
    own = select(EmailReplyTo.id).where(EmailReplyTo.service_id == service_id, EmailReplyTo.archived.is_(False))
    if session.scalar(own.where(EmailReplyTo.email_address == email_address)) is not None:
        raise DuplicateReplyToError(email_address)


def add_reply_to(session: Session, service_id: UUID, email_address: str, *, is_default: bool) -> EmailReplyTo:
    """Add a reply-to address; the first one must be the default.

    Raises `NotFoundProblemError`, `InvalidReplyToError`, `DuplicateReplyToError`, `DefaultNeededError`.
    """
    lock_service(session, service_id)
    check_new_reply_to(session, service_id, email_address)
    _settle_default(session, EmailReplyTo, service_id, is_default, REPLY_TO)
    reply_to = EmailReplyTo(
        id=new_public_id(), service_id=service_id, email_address=email_address, is_default=is_default
    )
    session.add(reply_to)
    session.flush()
    return reply_to


def update_reply_to(
    session: Session, service_id: UUID, reply_to_id: UUID, email_address: str, *, is_default: bool
) -> EmailReplyTo:
    """Change a reply-to address, even an archived one, which does not replace the default. The contract allows an
    address that the service already has.

    Raises `NotFoundProblemError`, `InvalidReplyToError`, `DefaultNeededError`.
    """
    lock_service(session, service_id)
    reply_to = _get(session, EmailReplyTo, service_id, reply_to_id, archived=True)
    if not is_email_address(email_address):
        raise InvalidReplyToError
    if not reply_to.archived:
        _keep_a_default(reply_to, is_default, REPLY_TO)
        _settle_default(session, EmailReplyTo, service_id, is_default, REPLY_TO)
    reply_to.email_address = email_address
    reply_to.is_default = is_default
    session.flush()
    return reply_to


def archive_reply_to(session: Session, service_id: UUID, reply_to_id: UUID) -> EmailReplyTo:
    """Archive a reply-to address, if not archived yet.

    Raises `NotFoundProblemError`, `DefaultSenderError`.
    """
    lock_service(session, service_id)
    reply_to = _get(session, EmailReplyTo, service_id, reply_to_id, archived=True)
    if reply_to.is_default:
        raise DefaultSenderError("email reply to address")
    reply_to.archived = True
    session.flush()
    return reply_to


def is_email_address(text: str) -> bool:
    """Whether this is a valid email address."""
    try:
        validate(text)
    except InvalidEmailAddress:
        return False
    return True


# -- contact blocks of letters (contract: internal-services 6.2)


def list_letter_contacts(session: Session, service_id: UUID) -> list[LetterContact]:
    """A service's contact blocks, the default first, then the newest first."""
    return _list(session, LetterContact, service_id)


def get_letter_contact(session: Session, service_id: UUID, contact_id: UUID) -> LetterContact:
    """A contact block. Raises `NotFoundProblemError`, also when it is archived or another service's."""
    return _get(session, LetterContact, service_id, contact_id)


def add_letter_contact(session: Session, service_id: UUID, contact_block: str, *, is_default: bool) -> LetterContact:
    """Add a contact block, which may be empty; no default is needed. Raises `NotFoundProblemError`."""
    lock_service(session, service_id)
    _clear_default(session, LetterContact, service_id, is_default)
    contact = LetterContact(
        id=new_public_id(), service_id=service_id, contact_block=contact_block, is_default=is_default
    )
    session.add(contact)
    session.flush()
    return contact


def update_letter_contact(
    session: Session, service_id: UUID, contact_id: UUID, contact_block: str, *, is_default: bool
) -> LetterContact:
    """Change a contact block, and so every template that uses it; even an archived one, which does not replace the
    default. Raises `NotFoundProblemError`.
    """
    lock_service(session, service_id)
    contact = _get(session, LetterContact, service_id, contact_id, archived=True)
    if not contact.archived:
        _clear_default(session, LetterContact, service_id, is_default)
    contact.contact_block = contact_block
    contact.is_default = is_default
    session.flush()
    return contact


def archive_letter_contact(session: Session, service_id: UUID, contact_id: UUID) -> LetterContact:
    """Archive a contact block, even the default. Templates stop using it (`hooks.letter_contact_archived`). Raises
    `NotFoundProblemError`.
    """
    lock_service(session, service_id)
    contact = _get(session, LetterContact, service_id, contact_id, archived=True)
    contact.archived = True
    session.flush()
    hooks.letter_contact_archived(session, contact, utc_now())
    return contact


# -- shared by the three kinds


def _list(session: Session, kind: type[_S], service_id: UUID) -> list[_S]:
    query = select(kind).where(kind.service_id == service_id, kind.archived.is_(False))
    return list(session.scalars(query.order_by(kind.is_default.desc(), kind.created_at.desc(), kind.id)))


def _get(session: Session, kind: type[_S], service_id: UUID, id_: UUID, *, archived: bool = False) -> _S:
    """A row of this service; archived ones only with `archived`. Raises `NotFoundProblemError`."""
    row = session.get(kind, id_)
    if row is None or row.service_id != service_id or (row.archived and not archived):
        raise NotFoundProblemError
    return row


def _clear_default(session: Session, kind: type[_S], service_id: UUID, is_default: bool) -> None:
    """Clear the default, for a new one."""
    if is_default:
        session.execute(
            update(kind)
            .where(kind.service_id == service_id, kind.is_default, kind.archived.is_(False))
            .values(is_default=False)
        )


def _settle_default(session: Session, kind: type[_S], service_id: UUID, is_default: bool, thing: str) -> None:
    """Clear the default for a new one, or check that there is one. Raises `DefaultNeededError`."""
    _clear_default(session, kind, service_id, is_default)
    if not is_default:
        default = select(kind.id).where(kind.service_id == service_id, kind.is_default, kind.archived.is_(False))
        if session.scalar(default) is None:
            raise DefaultNeededError(thing)


def _keep_a_default(row: SmsSender | EmailReplyTo, is_default: bool, thing: str) -> None:
    """Refuse to unset the default, which only another default can replace. Raises `DefaultNeededError`."""
    if row.is_default and not is_default:
        raise DefaultNeededError(thing)
