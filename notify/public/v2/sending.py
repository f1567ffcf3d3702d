"""Sending messages (contract: public-api 6)."""

from __future__ import annotations

from typing import Any, Final

from flask import Response, request
from werkzeug.exceptions import NotFound

from notify.infra.http import read_json
from notify.infra.validation import validate
from notify.letters.accept import AcceptedPdf, PdfLetterAcceptor
from notify.messages import serialise
from notify.messages.accept.base import AcceptedMessage
from notify.messages.accept.email import EmailAcceptor
from notify.messages.accept.letter import LetterAcceptor
from notify.messages.accept.sms import SmsAcceptor
from notify.public import schemas
from notify.public.endpoints import Call, Endpoints
from notify.public.fields import given

endpoints = Endpoints()

MOST_SMS_BYTES: Final = 1024 * 1024
"""Largest body of a text message. Emails and letters can have files, and their limit is `MAX_REQUEST_BYTES`."""

_ERRORS: Final = (400, 409, 429)


def _shown(message: AcceptedMessage | AcceptedPdf, call: Call) -> dict[str, Any]:
    if isinstance(message, AcceptedPdf):
        return message._asdict()
    return serialise.accepted(message, call.address, call.caller.service.id)


@endpoints.post(
    "/notifications/sms",
    answer=schemas.AcceptedSms,
    errors=_ERRORS,
    status=201,
    counts_as="sms",
    most_bytes=MOST_SMS_BYTES,
    show=_shown,
)
def send_sms(call: Call, body: schemas.SmsRequest) -> AcceptedMessage:
    """Send a text message."""
    return call.container.get(SmsAcceptor).accept(
        call.caller,
        phone_number=body.phone_number,
        template_id=body.template_id,
        personalisation=body.personalisation,
        reference=given(body.reference),
        sms_sender_id=given(body.sms_sender_id),
        scheduled_for=call.scheduled_for(given(body.scheduled_for)),
    )


@endpoints.post(
    "/notifications/email",
    answer=schemas.AcceptedEmail,
    errors=_ERRORS,
    status=201,
    counts_as="email",
    show=_shown,
)
def send_email(call: Call, body: schemas.EmailRequest) -> AcceptedMessage:
    """Send an email."""
    names = given(body.sanitise_content_for)
    return call.container.get(EmailAcceptor).accept(
        call.caller,
        email_address=body.email_address,
        template_id=body.template_id,
        personalisation=body.personalisation,
        reference=given(body.reference),
        email_reply_to_id=given(body.email_reply_to_id),
        one_click_unsubscribe_url=given(body.one_click_unsubscribe_url),
        sanitise_content_for=names or (),
        scheduled_for=call.scheduled_for(given(body.scheduled_for)),
    )


@endpoints.post(
    "/notifications/letter",
    answer=schemas.LetterAnswer,
    body=schemas.LetterBody,
    errors=_ERRORS,
    status=201,
    counts_as="letter",
    show=_shown,
)
def send_letter(call: Call, body: Any) -> AcceptedMessage | AcceptedPdf:
    """Send a letter.

    It is made from a template, or is the PDF in `content`.
    """
    if isinstance(body, dict) and "content" in body:
        return _send_pdf(call, validate(schemas.PdfLetterRequest, body))
    form = validate(schemas.LetterRequest, body)
    return call.container.get(LetterAcceptor).accept(
        call.caller,
        template_id=form.template_id,
        personalisation=form.personalisation,
        reference=given(form.reference),
    )


def _send_pdf(call: Call, form: schemas.PdfLetterRequest) -> AcceptedPdf:
    return call.container.get(PdfLetterAcceptor).accept(
        call.caller, content=form.content, reference=form.reference, postage=given(form.postage)
    )


def refuse_type(notification_type: str) -> Response:
    """Refuse any other type of message: 404 if the body is JSON (6.6)."""
    del notification_type
    read_json(request)
    raise NotFound
