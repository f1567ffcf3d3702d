"""Helpers on text that every kind of message shares (contract: content 3)."""

from __future__ import annotations

import html
import re
import string
from typing import Final

from notify.content.quotes import smart_quotes

ZERO_WIDTH: Final = "\u180e\u200b\u200c\u200d\u2060\ufeff\u2028\u2029"
FULL_WIDTH: Final = "\u00a0\u202f"
OBSCURE: Final = ZERO_WIDTH + FULL_WIDTH
DIRECTION_MARKS: Final = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Invisible characters that say in which direction text runs. Contact lists and web pages put them around numbers."""

_DELETE_OBSCURE: Final = dict.fromkeys(map(ord, OBSCURE))
_DELETE_WHITESPACE: Final = dict.fromkeys(map(ord, OBSCURE + string.whitespace))
_TO_PLAIN_BLANKS: Final = {**dict.fromkeys(map(ord, ZERO_WIDTH)), **dict.fromkeys(map(ord, FULL_WIDTH), " ")}
_HAS_OBSCURE: Final = re.compile(f"[{OBSCURE}]")
_BLANK_AND_MARK: Final = (" ,", " .", "\t,", "\t.")
_BEFORE_PUNCTUATION: Final = re.compile(r"(?<![ \t])[ \t]+(?=[,.])")
_OWN_REFERENCES: Final = (("&lt;", "<"), ("&gt;", ">"), ("&#91;", "["), ("&#93;", "]"))
_HAS_DIRECTION_MARKS: Final = re.compile(f"[{DIRECTION_MARKS}]")
_MANY_NEWLINES: Final = re.compile(r"\n{3,}")


def strip_all(text: str, extra: str = "") -> str:
    """`text` without white space, visible or not, at its ends; nor any of `extra` at its end."""
    return text.lstrip(string.whitespace + OBSCURE).rstrip(string.whitespace + OBSCURE + extra)


def is_blank(text: str) -> bool:
    """Whether a reader sees nothing of it: there is only white space, visible or not."""
    return not text.translate(_DELETE_OBSCURE).strip()


def strip_obscure(text: str) -> str:
    """`text` without invisible characters anywhere, and without white space at its ends."""
    return text.translate(_DELETE_OBSCURE).strip(string.whitespace)


def strip_direction_marks(text: str) -> str:
    """`text` without direction marks around it, and the white space that stands beside them. Within it they stay."""
    if text.isascii() or not _HAS_DIRECTION_MARKS.search(text):
        return text
    return text.strip(string.whitespace + OBSCURE + DIRECTION_MARKS)


def remove_whitespace(text: str) -> str:
    """`text` without any white space, visible or not."""
    return text.translate(_DELETE_WHITESPACE)


def normalise_whitespace(text: str) -> str:
    """Replaces runs of white space by one space, and removes it at the ends."""
    if not text.isascii() and _HAS_OBSCURE.search(text):
        text = text.translate(_TO_PLAIN_BLANKS)
    return " ".join(text.split())


def normalise_lines(text: str) -> str:
    """Replaces every kind of line end by a newline, and normalises the white space of each line."""
    return "\n".join(normalise_whitespace(line) for line in text.splitlines())


def collapse_newlines(text: str) -> str:
    """Replaces three or more newlines in a row by two."""
    return _MANY_NEWLINES.sub("\n\n", text)


def tidy_punctuation(text: str) -> str:
    """Removes blanks directly before a comma or a full stop."""
    return _BEFORE_PUNCTUATION.sub("", text) if any(pair in text for pair in _BLANK_AND_MARK) else text


def replace_references(text: str, *, but: str = "") -> str:
    """Replaces the references that this package writes by their characters, except the character `but`."""
    for reference, character in _OWN_REFERENCES:
        if character != but:
            text = text.replace(reference, character)
    return text


def unescape(text: str) -> str:
    """As `html.unescape`, but fast with a large number of the references that this package writes."""
    text = replace_references(text)
    try:
        return html.unescape(text)
    except ValueError:  # a number with thousands of digits is no character
        return text


def break_lines(text: str) -> str:
    """Replaces line ends by `<br>`, and removes those at the ends."""
    return text.strip().replace("\n", "<br>").replace("\r", "<br>")


_WORD: Final = re.compile(r"\S+")
_DASHES: Final = re.compile(r"(?:(?<! ) ++|[^\S ])[-–—]{1,3}(?: ++|[^\S ])")


def _unsmart(word: str) -> str:
    return word.replace("‘", "'").replace("’", "'")


def unsmart_emails(text: str) -> str:
    """Makes curly apostrophes straight again in what looks like an email address."""
    if "@" not in text:
        return text
    return _WORD.sub(lambda match: _unsmart(match[0]) if "@" in match[0][1:-1] else match[0], text)


def en_dashes(text: str) -> str:
    """Replaces a hyphen or dash that stands alone between blanks by an en dash with one space on either side."""
    return _DASHES.sub(" – ", text)


def typography(text: str) -> str:
    """Applies typographic punctuation, quotes and dashes."""
    return en_dashes(unsmart_emails(smart_quotes(tidy_punctuation(text))))


_GOVUK: Final = re.compile(r"(^|\s)([#*^]?)(gov)\.(uk)(?![/?#])", re.IGNORECASE)


def unlink_govuk(text: str) -> str:
    """Puts an invisible space after the dot of the name GOV.UK, so that mail readers do not make a link of it."""
    return _GOVUK.sub("\\1\\2\\3.\u200b\\4", text)


def strip_unsupported(text: str) -> str:
    """Removes two characters that mail readers show as boxes."""
    return text.replace("\u2028", "").replace("\u3164", "")
