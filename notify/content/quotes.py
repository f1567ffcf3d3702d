"""Typographic quotes: straight ones become curly (contract: content 3, smart-quotes).

The rules are those of SmartyPants (`q`), which the contract names. They are applied to text only: tags, and the text of
elements that hold code or a link, stay as they are.
"""

from __future__ import annotations

import re
from typing import Final

_TAG: Final = re.compile(r"<[^>]*>")
_SKIPPED_TAG: Final = re.compile(r"<(/?)(pre|samp|code|tt|kbd|script|style|math|a)[^>]*>", re.IGNORECASE)
_ESCAPED_QUOTE: Final = re.compile(r"\\([\"'])")

# noncharacters stand for escaped quotes while the others are changed
_HIDE: Final = {'"': "\ufdd0", "'": "\ufdd1"}
_SHOW: Final = {ord(hidden): quote for quote, hidden in _HIDE.items()}

_PUNCTUATION: Final = r"[!-%'-/:-@\[-`{-~]"
_BEFORE_OPENING: Final = r"(\s|&nbsp;|--|&[mn]dash;|&#821[12];|&#x201[34];)"
_BEFORE_CLOSING: Final = r"([^ \t\r\n\[{(\-])"
_RULES: Final[tuple[tuple[str, re.Pattern[str], str], ...]] = tuple(
    (needed, re.compile(pattern), replacement)
    for needed, pattern, replacement in (
        # a quotation that begins within another
        ("\"'", r"\"'(?=\w)", "“‘"),
        ("'\"", r"'\"(?=\w)", "‘“"),
        # decades
        ("'", r"\b'(?=\d{2}s)", "’"),
        ("'", rf"{_BEFORE_OPENING}'(?=\w)", r"\1‘"),
        ("'", rf"{_BEFORE_CLOSING}'(?!\s|s\b|\d)", r"\1’"),
        ("'", rf"{_BEFORE_CLOSING}'(\s|s\b)", r"\1’\2"),
        ("'", "'", "‘"),
        ('"', rf"{_BEFORE_OPENING}\"(?=\w)", r"\1“"),
        ('"', r"\"(?=\s)", "”"),
        ('"', rf"\A\"(?={_PUNCTUATION})", "”"),
        ('"', rf"{_BEFORE_CLOSING}\"", r"\1”"),
        ('"', '"', "“"),
    )
)


def smart_quotes(text: str) -> str:
    """`text`, which may be HTML, with curly quotes. A backslash keeps a quote straight, and goes."""
    if '"' not in text and "'" not in text:
        return text
    if "<" not in text:
        return _curl(text, "")
    out: list[str] = []
    open_elements: list[str] = []
    last = ""
    end = 0
    for match in _TAG.finditer(text):
        if between := text[end : match.start()]:
            out.append(between if open_elements else _curl(between, last))
            last = between[-1]
        out.append(match[0])
        end = match.end()
        if skipped := _SKIPPED_TAG.match(match[0]):
            is_end, name = skipped[1], skipped[2].lower()
            if not is_end:
                open_elements.append(name)
            elif open_elements and open_elements[-1] == name:
                open_elements.pop()
    rest = text[end:]
    out.append(rest if open_elements else _curl(rest, last))
    return "".join(out)


def _curl(text: str, before: str) -> str:
    """`text`, which has no tags, with curly quotes; `before` is the last character of the text before the last tag."""
    has_single, has_double = "'" in text, '"' in text
    if not has_single and not has_double:
        return text
    if len(text) == 1:
        opens = not before or before.isspace()
        return ("‘" if opens else "’") if has_single else ("“" if opens else "”")
    if "\\" in text:
        text = _ESCAPED_QUOTE.sub(lambda match: _HIDE[match[1]], text)
    for needed, pattern, replacement in _RULES:
        if needed in text:
            text = pattern.sub(replacement, text)
    return text.translate(_SHOW) if "\ufdd0" in text or "\ufdd1" in text else text
