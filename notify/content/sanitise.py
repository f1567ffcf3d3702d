"""Makes a value harmless in an email: no links, no Markdown (contract: public-api 6.3)."""

from __future__ import annotations

import re
from typing import Final

from notify.content.links import ADDRESS

_PLAIN: Final = re.compile(r"[A-Za-z0-9.\-]+")
_SPECIAL: Final = r"`*_()\{}[]<>#+-.!|"
"""What may mean something in Markdown, or in HTML."""
_ESCAPED: Final = str.maketrans({mark: f"\\{mark}" for mark in _SPECIAL})
_CLASS: Final = re.escape(_SPECIAL)
_SANITISED: Final = re.compile(rf"(?:[^{_CLASS}]|\\[{_CLASS}])*+")
_BACKSLASH: Final = re.compile(r"\\(.)")
_BEFORE_ANGLE: Final = re.compile(r"\\(?=[<>])")


def _defuse(match: re.Match[str]) -> str:
    link = match[0]
    return link.replace(".", ". ") if _PLAIN.fullmatch(link) else ""


def sanitise_value(value: str) -> str:
    """The value with links taken apart or out, and a backslash before every special character of Markdown."""
    return ADDRESS.sub(_defuse, value).translate(_ESCAPED)


def without_escapes(value: str) -> str:
    """A sanitised value for text that is not Markdown, such as a subject: without its backslashes. Any other value, in
    which a special character has no backslash, is returned as it is.
    """
    return _BACKSLASH.sub(r"\1", value) if _is_sanitised(value) else value


def without_angle_escapes(value: str) -> str:
    """A sanitised value for Markdown that is HTML-escaped: without the backslashes before `<` and `>`, which are no
    longer special there. Any other value is returned as it is.
    """
    return _BEFORE_ANGLE.sub("", value) if _is_sanitised(value) else value


def _is_sanitised(value: str) -> bool:
    return "\\" in value and _SANITISED.fullmatch(value) is not None
