"""Making a value harmless in an email: no links, no markdown (contract: public-api 6.3)."""

from __future__ import annotations

import re
from typing import Final

from notify.content.links import ADDRESS

_PLAIN: Final = re.compile(r"[A-Za-z0-9.\-]+")
_ESCAPED: Final = str.maketrans({mark: f"\\{mark}" for mark in r"`*_()\{}[]<>#+-.!|"})


def _defuse(match: re.Match[str]) -> str:
    link = match[0]
    return link.replace(".", ". ") if _PLAIN.fullmatch(link) else ""


def sanitise_value(value: str) -> str:
    """The value with links taken apart or out, and a backslash before every character of markdown."""
    return ADDRESS.sub(_defuse, value).translate(_ESCAPED)
