"""Functions that read the text of messages: placeholders, text messages, emails, letters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from notify.content.email import EmailTemplate
from notify.content.letter import LetterTemplate, QrCodeTooLong
from notify.content.links import link_addresses
from notify.content.markdown import parse
from notify.content.placeholders import Field, Personalisation, TooMuchTextError, escape
from notify.content.qr import code_rows
from notify.content.sanitise import sanitise_value, without_angle_escapes, without_escapes
from notify.content.sms import SmsTemplate, template_length
from notify.content.text import normalise_lines, typography, unlink_govuk

_AT = datetime(2026, 7, 1, tzinfo=UTC)


def _placeholders(text: str) -> object:
    return Field(text).fill(Personalisation({"a": text[:20], "b": [text[:20]], "": "yes"})), escape(text)


def _sms(text: str) -> object:
    message = SmsTemplate(text).render({"a": "b"}, "Service")
    limited = SmsTemplate(text, gsm_only=True).render({})
    return (
        message.fragments,
        message.body,
        message.unicode_characters,
        limited.unsendable_characters,
        template_length(text),
    )


def _sms_previews(text: str) -> object:
    template = SmsTemplate(text)
    return template.row_preview({}), template.phone_preview(
        {}, prefix=text[:100], sender=text[:100], shows_recipient=True
    )


def _email(text: str) -> object:
    return EmailTemplate(text[:1000], text).html({}, unsubscribe_url="https://x.uk")


def _email_text(text: str) -> object:
    return EmailTemplate("", text).plain_text({})


def _email_subject(text: str) -> object:
    return EmailTemplate(text, "").subject({})


def _email_value(text: str) -> object:
    template = EmailTemplate("((a))", "Dear ((a)),")
    if len(text) < 10_000:
        template = EmailTemplate("((a))", "Dear ((a)),\n\n* ((a))\n\n[t](((a))) https://x.uk/((a))")
    return [template.render({"a": text}) for _ in range(2 if len(text) < 10_000 else 1)]


def _letter(text: str) -> object:
    template = LetterTemplate(
        text[:1000],
        text,
        welsh_subject="",
        welsh_content="qr: ((a))",
        languages="welsh_then_english",
        contact_block=text[:1000],
    )
    return template.parts({"a": text[:20], "address line 1": text[:1000]}, _AT)


def _qr_codes(text: str) -> object:
    try:
        LetterTemplate("", "qr: ((a))\n\n" + text).check_qr_codes({"a": text})
    except QrCodeTooLong:
        return None
    return repr(code_rows(text[:200] or "x"))


def _text(text: str) -> object:
    return typography(text), normalise_lines(text), unlink_govuk(text), link_addresses(text)


TARGETS: dict[str, Callable[[str], object]] = {
    "placeholders": _placeholders,
    "sms": _sms,
    "sms previews": _sms_previews,
    "markdown": parse,
    "email": _email,
    "email as text": _email_text,
    "subject": _email_subject,
    "value in an email": _email_value,
    "letter": _letter,
    "QR codes": _qr_codes,
    "text": _text,
    "sanitised value": lambda text: (sanitise_value(text), without_escapes(text), without_angle_escapes(text)),
}
ALLOWED: tuple[type[Exception], ...] = (TooMuchTextError,)
"""Errors that a target may raise for a text that is no good."""
