"""Helpers on text that every kind of message shares (contract: content 3)."""

from __future__ import annotations

import re
import string
from typing import Final

ZERO_WIDTH: Final = "\u180e\u200b\u200c\u200d\u2060\ufeff\u2028\u2029"
FULL_WIDTH: Final = "\u00a0\u202f"
OBSCURE: Final = ZERO_WIDTH + FULL_WIDTH

_DELETE_OBSCURE: Final = dict.fromkeys(map(ord, OBSCURE))
_DELETE_WHITESPACE: Final = dict.fromkeys(map(ord, OBSCURE + string.whitespace))
_TO_PLAIN_BLANKS: Final = {**dict.fromkeys(map(ord, ZERO_WIDTH)), **dict.fromkeys(map(ord, FULL_WIDTH), " ")}
_BEFORE_PUNCTUATION: Final = re.compile(r"(?<![ \t])[ \t]+(?=[,.])")
_MANY_NEWLINES: Final = re.compile(r"\n{3,}")


def strip_obscure(text: str) -> str:
    """`text` without invisible characters anywhere, and without white space at its ends."""
    return text.translate(_DELETE_OBSCURE).strip(string.whitespace)


def remove_whitespace(text: str) -> str:
    """`text` without any white space, visible or not."""
    return text.translate(_DELETE_WHITESPACE)


def normalise_whitespace(text: str) -> str:
    """Runs of white space become one space; none is left at the ends."""
    return " ".join(text.translate(_TO_PLAIN_BLANKS).split())


def normalise_lines(text: str) -> str:
    """Every kind of line end becomes a newline, and each line has its white space normalised."""
    return "\n".join(normalise_whitespace(line) for line in text.splitlines())


def collapse_newlines(text: str) -> str:
    """Three or more newlines in a row become two."""
    return _MANY_NEWLINES.sub("\n\n", text)


def tidy_punctuation(text: str) -> str:
    """Blanks directly before a comma or a full stop go."""
    return _BEFORE_PUNCTUATION.sub("", text)
