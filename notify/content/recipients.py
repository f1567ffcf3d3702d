"""Phone numbers and email addresses alike: how they are cleaned, and compared (contract: content 10.6)."""

from __future__ import annotations

from notify.content import email_addresses
from notify.content.email_addresses import InvalidEmailAddress
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.content.text import strip_direction_marks, strip_obscure


def clean_recipient(text: str) -> str:
    """A recipient as it was typed, without invisible characters and without white space at its ends: what is stored."""
    return strip_obscure(strip_direction_marks(text))


def format_recipient(recipient: object) -> str:
    """The form in which recipients are compared: digits of a phone number, an address in lower case, else as it is."""
    if not isinstance(recipient, str):
        return ""
    try:
        return PhoneNumber.parse(recipient).normalised
    except InvalidPhoneNumber:
        pass
    try:
        return email_addresses.normalise(recipient)
    except InvalidEmailAddress:
        return recipient
