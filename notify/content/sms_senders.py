"""Senders of text messages (contract: content 10.6, public-api 5.5)."""

from __future__ import annotations

from functools import lru_cache

from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber


@lru_cache(maxsize=4096)
def resolve_sender(text: str) -> str:
    """What recipients see: the digits of a phone number with its country code, a name as it is."""
    try:
        return PhoneNumber.parse(text).normalised
    except InvalidPhoneNumber:
        return text
