"""Email addresses (contract: content 9, public-api 5.4)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from notify.content.text import strip_direction_marks, strip_obscure

LONGEST: Final = 320
LONGEST_HOST: Final = 253
LONGEST_LABEL: Final = 63

GOVERNMENT_DOMAINS: Final = (
    "gov.uk",
    "nhs.uk",
    "nhs.net",
    "nhs.scot",
    "police.uk",
    "cjsm.net",
    "sch.uk",
    "hscni.net",
    "llyw.cymru",
    "nhs.wales",
    "judiciary.uk",
    "kirkleeseducation.uk",
)

_GOVERNMENT: Final = tuple(mark + domain for domain in GOVERNMENT_DOMAINS for mark in "@.")
_ADDRESS: Final = re.compile(r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~\-]+@([^.@\s][^@\s]+)")
_LABEL: Final = re.compile(r"(xn|[a-z0-9]+)(--?[a-z0-9]+)*", re.IGNORECASE)
_TOP_LEVEL: Final = re.compile(r"[a-z]{2,63}|xn--[a-z0-9\-]+", re.IGNORECASE)


class InvalidEmailAddress(ValueError):  # noqa: N818 - the contract's word
    """Not an address that can be sent to."""

    def __init__(self) -> None:
        super().__init__("Not a valid email address")


def validate(raw: str) -> str:
    """The address without stray white space and direction marks, its case kept. Raises `InvalidEmailAddress`."""
    address = strip_obscure(strip_direction_marks(raw))
    match = _ADDRESS.fullmatch(address)
    if match is None or len(address) > LONGEST or ".." in address or not _is_host(match[1]):
        raise InvalidEmailAddress
    return address


def normalise(raw: str) -> str:
    """The address in the form that addresses are compared and searched in: validated and in lower case.

    Raises `InvalidEmailAddress`.
    """
    return validate(raw).lower()


def is_government(address: str) -> bool:
    """Whether an address is in a domain of the public sector, or below one."""
    return address.lower().endswith(_GOVERNMENT)


@lru_cache(maxsize=4096)
def _is_host(host: str) -> bool:
    try:
        host = host.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    labels = host.split(".")
    return (
        len(host) <= LONGEST_HOST
        and len(labels) >= 2
        and all(0 < len(label) <= LONGEST_LABEL and _LABEL.fullmatch(label) for label in labels)
        and _TOP_LEVEL.fullmatch(labels[-1]) is not None
    )
