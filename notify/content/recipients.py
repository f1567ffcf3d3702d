"""Comparing recipients of either kind (contract: content 10.6)."""

from __future__ import annotations

from notify.content import email_addresses
from notify.content.email_addresses import InvalidEmailAddress
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber


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
