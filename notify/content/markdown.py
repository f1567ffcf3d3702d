"""The markdown of emails and letters (contract: content 6): read by `mistune`, in a dialect of its own.

The dialect differs from CommonMark in how lines begin. So lines are first respelled into what CommonMark says for the
same thing, and the parser is left with the rules that the dialect has. What comes out is `mistune`'s tree of tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, cast

import mistune
from mistune.block_parser import BlockParser
from mistune.core import InlineState
from mistune.inline_parser import InlineParser
from mistune.plugins.table import table

Token = dict[str, Any]

BARE_URL: Final = r"https?://[^\s<]*[^\s<.,:\"')\]]"

_QUOTE: Final = re.compile(r"[ ]{0,3}(\^+)[ ]?(?=\S)")
_MARKER: Final = re.compile(r"([ ]*)([*•-]|\d{1,9}\.)([ \t]*)(?=\S)(.*)")
_RULE: Final = re.compile(r"[ ]{0,3}([-*_])[ \t]*(?:\1[ \t]*)+$")
_HEADING: Final = re.compile(r"[ ]{0,3}(#{1,6})(?=[^#\s])")
_FOREIGN_MARKER: Final = re.compile(r"([ ]{0,3})(\+(?=\s)|\d{1,9}(?=\)\s)|>)")
_UNDERLINE: Final = re.compile(r"[ ]{0,3}(?:=+|-+)[ \t]*$")
_FENCE: Final = re.compile(r"[ ]{0,3}(?:```|~~~)")
DEEPEST_QUOTE: Final = 5
MOST_BRACKETS: Final = 2000
"""Opening brackets that may begin a link. The search for the end of a link begins anew at each of them, so a text made
of brackets would take for ever; those beyond are text.
"""

_BULLETS: Final = ("*", "-")
_NUMBERS: Final = ("1.", "1)")


class _Respeller:
    """Respells the lines of a text, keeping what it needs to know of the lines before."""

    def __init__(self, depth: int = 0) -> None:
        self._depth = depth
        self._after_blank = True
        self._blank_lines = 0
        self._in_list = False
        self._in_quote = False
        self._in_fence = False
        self._ordered = False
        self._lists = 0

    def respell(self, text: str) -> str:
        return "\n".join(self._line(line) for line in text.split("\n"))

    def _line(self, line: str) -> str:
        if _FENCE.match(line):
            self._in_fence = not self._in_fence
            return line
        if self._in_fence:
            return line
        if not line.strip():
            self._after_blank = True
            self._blank_lines += 1
            self._in_quote = False
            return ""
        respelled = self._quoted(line) or self._item(line) or self._other(line)
        self._after_blank = False
        self._blank_lines = 0
        return respelled

    def _quoted(self, line: str) -> str | None:
        match = _QUOTE.match(line)
        depth = self._depth + (0 if match is None else len(match[1]))
        if match is None or depth > DEEPEST_QUOTE or not (self._after_blank or self._in_quote):
            return None
        self._in_quote = True
        self._in_list = False
        return "> " * len(match[1]) + _Respeller(depth).respell(line[match.end() :])

    def _item(self, line: str) -> str | None:
        match = _MARKER.match(line)
        if match is None or _RULE.match(line) or self._is_text(match):
            return None
        indent, marker, _, rest = match.groups()
        if len(indent) < 2:
            starts = not self._in_list or self._blank_lines >= 2
            if starts:
                self._lists += 1
                self._ordered = marker[0].isdigit()
            self._in_list = True
            ordered = self._ordered
        elif not self._in_list and len(indent) > 3:
            return None
        else:
            ordered = marker[0].isdigit()
        # neighbours with different marks are lists of their own
        marks = _NUMBERS if ordered else _BULLETS
        return f"{indent}{marks[self._lists % 2]} {rest}"

    def _is_text(self, match: re.Match[str]) -> bool:
        _, marker, blank, rest = match.groups()
        if blank:
            return marker == "•" and not (self._after_blank or self._in_list)
        # no blank is needed where the list starts its own block; `**`, `*word*` and a number like 1.5 are no lists
        starts = self._after_blank or self._in_list
        is_digits = marker[0].isdigit() and rest[0].isdigit()
        return not starts or rest[0] in "*-" or is_digits or (marker == "*" and "*" in rest)

    def _other(self, line: str) -> str:
        if self._after_blank and not line.startswith("  "):
            self._in_list = False
        heading = _HEADING.match(line)
        if heading:
            self._in_list = False
            return line[: heading.end()] + " " + line[heading.end() :]
        if _UNDERLINE.match(line) and not self._after_blank:
            return line.strip()
        foreign = _FOREIGN_MARKER.match(line)
        if foreign:
            mark = foreign[2]
            escaped = f"{mark}\\" if mark.isdigit() else f"\\{mark}"
            return foreign[1] + escaped + line[foreign.end() :]
        return line


def _bare_url(inline: InlineParser, match: re.Match[str], state: InlineState) -> int:
    del inline
    url = match[0]
    state.append_token({"type": "bare_url", "raw": url})
    return match.end()


def _parser() -> mistune.Markdown:
    block = BlockParser()
    for rules in (block.rules, block.block_quote_rules, block.list_rules):
        for rule in ("raw_html",):
            if rule in rules:
                rules.remove(rule)
    inline = InlineParser(hard_wrap=True)
    inline.rules = ["escape", "link", "link_close", "linebreak", "softbreak"]
    inline.register("bare_url", BARE_URL, _bare_url, before="link")
    return mistune.Markdown(renderer=None, block=block, inline=inline, plugins=[table])


_MARKDOWN: Final = _parser()


def parse(text: str) -> Sequence[Token]:
    """The blocks of a text, as `mistune` describes them; a bare URL is a token `bare_url`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4)
    if text.count("[") > MOST_BRACKETS:
        head = text.split("[", MOST_BRACKETS)
        text = "[".join([*head[:-1], head[-1].replace("[", "\\[")])
    respelled = _Respeller().respell(text)
    tokens = _MARKDOWN(respelled)
    return cast("list[Token]", tokens)
