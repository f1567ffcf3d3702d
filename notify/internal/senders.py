"""Senders of a service: text message senders, reply-to addresses, contact blocks of letters (contract:
internal-services 6). Answers about text message senders have no wrapper, the others do.
"""

from __future__ import annotations

from uuid import UUID

from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.internal.fields import EmailAddress, Moment, Uuid
from notify.internal.reading import Unread
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data, Fields
from notify.notices.catalogue import VERIFY_REPLY_TO
from notify.notices.sender import Notices
from notify.services import senders
from notify.services.inbound_numbers import assign_inbound_number
from notify.services.service import get_service

routes = Routes("senders", "/service/<uuid:service_id>")


class SmsSenderBody(Body):
    """A text message sender."""

    sms_sender: str
    is_default: bool


class NewSmsSenderBody(SmsSenderBody):
    """A new text message sender. In 2020 it could be an inbound number to assign to the service (internal-services
    18); `sms_sender` is then ignored.
    """

    inbound_number_id: Uuid | MISSING | None = MISSING


class ReplyToBody(Body):
    """A reply-to address."""

    email_address: EmailAddress
    is_default: bool


class ReplyToToVerify(Fields):
    """An address to verify before it is added."""

    email: EmailAddress


class LetterContactBody(Body):
    """A contact block."""

    contact_block: str
    is_default: bool


class _SenderAnswer(Answer):
    id: UUID
    service_id: UUID
    is_default: bool
    archived: bool
    created_at: Moment
    updated_at: Moment | None


class SmsSenderAnswer(_SenderAnswer):
    """A text message sender."""

    sms_sender: str
    inbound_number_id: UUID | None


class ReplyToAnswer(_SenderAnswer):
    """A reply-to address."""

    email_address: str


class LetterContactAnswer(_SenderAnswer):
    """A contact block."""

    contact_block: str


class SentNotice(Answer):
    """The message that was sent."""

    id: UUID


@routes.get("/sms-sender")
def list_sms_senders(session: Session, service_id: UUID) -> list[SmsSenderAnswer]:
    """List a service's text message senders."""
    return SmsSenderAnswer.of_each(senders.list_sms_senders(session, service_id))


@routes.get("/sms-sender/<uuid:sms_sender_id>")
def get_sms_sender(session: Session, service_id: UUID, sms_sender_id: UUID) -> SmsSenderAnswer:
    """Get a text message sender."""
    return SmsSenderAnswer.of(senders.get_sms_sender(session, service_id, sms_sender_id))


@routes.post("/sms-sender", status=201)
def add_sms_sender(
    session: Session, container: Container, service_id: UUID, body: Unread[NewSmsSenderBody]
) -> SmsSenderAnswer:
    """Add a text message sender."""
    get_service(session, service_id)
    wanted = body.read()
    number_id = wanted.given().get("inbound_number_id") if container.parts.settings.legacy_2020 else None
    if number_id is not None:
        return SmsSenderAnswer.of(
            assign_inbound_number(session, service_id, inbound_number_id=number_id, is_default=wanted.is_default)
        )
    sender = senders.add_sms_sender(session, service_id, wanted.sms_sender, is_default=wanted.is_default)
    return SmsSenderAnswer.of(sender)


@routes.post("/sms-sender/<uuid:sms_sender_id>")
def update_sms_sender(session: Session, service_id: UUID, sms_sender_id: UUID, body: SmsSenderBody) -> SmsSenderAnswer:
    """Change a text message sender."""
    sender = senders.update_sms_sender(session, service_id, sms_sender_id, body.sms_sender, is_default=body.is_default)
    return SmsSenderAnswer.of(sender)


@routes.post("/sms-sender/<uuid:sms_sender_id>/archive")
def archive_sms_sender(session: Session, service_id: UUID, sms_sender_id: UUID) -> Data[SmsSenderAnswer]:
    """Archive a text message sender."""
    return Data(data=SmsSenderAnswer.of(senders.archive_sms_sender(session, service_id, sms_sender_id)))


@routes.get("/email-reply-to")
def list_reply_tos(session: Session, service_id: UUID) -> list[ReplyToAnswer]:
    """List a service's reply-to addresses."""
    return ReplyToAnswer.of_each(senders.list_reply_tos(session, service_id))


@routes.get("/email-reply-to/<uuid:reply_to_id>")
def get_reply_to(session: Session, service_id: UUID, reply_to_id: UUID) -> ReplyToAnswer:
    """Get a reply-to address."""
    return ReplyToAnswer.of(senders.get_reply_to(session, service_id, reply_to_id))


@routes.post("/email-reply-to/verify", status=201)
def verify_reply_to(
    session: Session, container: Container, service_id: UUID, body: ReplyToToVerify
) -> Data[SentNotice]:
    """Send an email to a proposed reply-to address, which can be added once the email is delivered."""
    senders.check_new_reply_to(session, service_id, body.email)
    sent = container.get(Notices).send(session, VERIFY_REPLY_TO, body.email, {})
    return Data(data=SentNotice(id=sent))


@routes.post("/email-reply-to", status=201)
def add_reply_to(session: Session, service_id: UUID, body: Unread[ReplyToBody]) -> Data[ReplyToAnswer]:
    """Add a reply-to address."""
    get_service(session, service_id)
    wanted = body.read()
    reply_to = senders.add_reply_to(session, service_id, wanted.email_address, is_default=wanted.is_default)
    return Data(data=ReplyToAnswer.of(reply_to))


@routes.post("/email-reply-to/<uuid:reply_to_email_id>")
def update_reply_to(
    session: Session, service_id: UUID, reply_to_email_id: UUID, body: Unread[ReplyToBody]
) -> Data[ReplyToAnswer]:
    """Change a reply-to address."""
    get_service(session, service_id)
    wanted = body.read()
    reply_to = senders.update_reply_to(
        session, service_id, reply_to_email_id, wanted.email_address, is_default=wanted.is_default
    )
    return Data(data=ReplyToAnswer.of(reply_to))


@routes.post("/email-reply-to/<uuid:reply_to_email_id>/archive")
def archive_reply_to(session: Session, service_id: UUID, reply_to_email_id: UUID) -> Data[ReplyToAnswer]:
    """Archive a reply-to address."""
    return Data(data=ReplyToAnswer.of(senders.archive_reply_to(session, service_id, reply_to_email_id)))


@routes.get("/letter-contact")
def list_letter_contacts(session: Session, service_id: UUID) -> list[LetterContactAnswer]:
    """List a service's contact blocks."""
    return LetterContactAnswer.of_each(senders.list_letter_contacts(session, service_id))


@routes.get("/letter-contact/<uuid:letter_contact_id>")
def get_letter_contact(session: Session, service_id: UUID, letter_contact_id: UUID) -> LetterContactAnswer:
    """Get a contact block."""
    return LetterContactAnswer.of(senders.get_letter_contact(session, service_id, letter_contact_id))


@routes.post("/letter-contact", status=201)
def add_letter_contact(
    session: Session, service_id: UUID, body: Unread[LetterContactBody]
) -> Data[LetterContactAnswer]:
    """Add a contact block."""
    get_service(session, service_id)
    wanted = body.read()
    contact = senders.add_letter_contact(session, service_id, wanted.contact_block, is_default=wanted.is_default)
    return Data(data=LetterContactAnswer.of(contact))


@routes.post("/letter-contact/<uuid:letter_contact_id>")
def update_letter_contact(
    session: Session, service_id: UUID, letter_contact_id: UUID, body: Unread[LetterContactBody]
) -> Data[LetterContactAnswer]:
    """Change a contact block."""
    get_service(session, service_id)
    wanted = body.read()
    contact = senders.update_letter_contact(
        session, service_id, letter_contact_id, wanted.contact_block, is_default=wanted.is_default
    )
    return Data(data=LetterContactAnswer.of(contact))


@routes.post("/letter-contact/<uuid:letter_contact_id>/archive")
def archive_letter_contact(session: Session, service_id: UUID, letter_contact_id: UUID) -> Data[LetterContactAnswer]:
    """Archive a contact block."""
    return Data(data=LetterContactAnswer.of(senders.archive_letter_contact(session, service_id, letter_contact_id)))
