"""Errors of phone numbers in the words of the API of 2020 (contract: content 20)."""

from __future__ import annotations

import re
from typing import Final

from notify.content.sms_rates import rates
from notify.content.text import OBSCURE

_LEFT_OUT: Final = frozenset("()-+" + OBSCURE)
_DIGITS: Final = re.compile(r"[0-9]*")
UK_PREFIX: Final = "44"
UK_DIGITS: Final = 10
SHORTEST_INTERNATIONAL: Final = 8
LONGEST_INTERNATIONAL: Final = 15
LONGEST_PREFIX: Final = 4


def fault_of_2020(raw: str) -> str | None:
    """The error of a number to send texts to, in the UK or abroad; None if it is valid."""
    text = "".join(char for char in raw if char not in _LEFT_OUT and not char.isspace())
    if not _DIGITS.fullmatch(text):
        return "Must not contain letters or symbols"
    digits = text.lstrip("0")
    if _is_uk(text, digits):
        return _uk_fault(digits.removeprefix(UK_PREFIX).lstrip("0"))
    return _international_fault(digits)


def _is_uk(text: str, digits: str) -> bool:
    has_one_zero = len(text) == len(digits) + 1
    return has_one_zero or digits.startswith(UK_PREFIX) or (digits.startswith("7") and len(digits) <= UK_DIGITS)


def _uk_fault(national: str) -> str | None:
    if not national.startswith("7"):
        return "Not a UK mobile number"
    return _length_fault(national, UK_DIGITS, UK_DIGITS)


def _international_fault(digits: str) -> str | None:
    fault = _length_fault(digits, SHORTEST_INTERNATIONAL, LONGEST_INTERNATIONAL)
    if fault is None and not any(digits[:length] in rates() for length in range(1, LONGEST_PREFIX + 1)):
        return "Not a valid country prefix"
    return fault


def _length_fault(digits: str, least: int, most: int) -> str | None:
    if len(digits) < least:
        return "Not enough digits"
    return "Too many digits" if len(digits) > most else None
