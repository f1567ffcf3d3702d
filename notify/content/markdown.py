"""Parses the Markdown dialect of emails and letters (contract: content 6) with `mistune`.

The dialect differs from CommonMark in how lines begin. So lines are first translated to CommonMark (`markdown_lines`),
and rules that the dialect lacks are taken out of the parser. The result is `mistune`'s tree of tokens.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Any, Final, cast

import mistune
from mistune.block_parser import BlockParser
from mistune.core import BlockState, InlineState
from mistune.inline_parser import InlineParser
from mistune.plugins.footnotes import footnotes

from notify.content.markdown_lines import to_commonmark

Token = dict[str, Any]

CONTAINERS: Final = frozenset({"block_text", "block_quote", "footnotes", "footnote_item"})
"""Types of tokens of which only the tokens within them need to be shown."""

BARE_URL: Final = r"https?://(?:(?!&[lg]t;|\][(\[])[^\s<])*(?!&[lg]t;)[^\s<.,:\"')\]]"

_ESCAPES: Final = r"(?:\\[\\`*{}\[\]()#+\-.!_>~|])+"
_ESCAPED_ANGLE: Final = r"\\&gt;"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BRACKET: Final = re.compile(r"[\[\]]")
_TARGET_START: Final = re.compile(r"\(\s*")
_BALANCED: Final = re.compile(r"[^\s()]*+(?:\((?:[^\s()]|\([^\s()]*+\))*+\)[^\s()]*+)*+")
"""A target without blanks whose round brackets, and those within them, are in pairs."""
_TITLE_START: Final = re.compile(r"(?<!\s)\s+[\"']")
_TITLE_END: Final = re.compile(r"[\"']\s*\)")
_ANY_TARGET: Final = "](.)"
_ANY_TARGET_CLOSE: Final = cast("re.Match[str]", re.match(r"\]", _ANY_TARGET))

LONGEST_BALANCED_TARGET: Final = 2_048
"""Characters of a link's target in which brackets are paired."""

MOST_BRACKETS: Final = 4000
"""Most square brackets that can be part of a link: each is read several times. Any more are plain text."""


class _InlineState(InlineState):
    """State while a paragraph is read."""

    has_title = True
    """Whether a title may end in the rest of the paragraph. Avoids repeating a search that found nothing."""


class _Inline(InlineParser):
    """Reads the text of a paragraph. Unlike the library, it does not stop at each letter that may begin something."""

    state_cls = _InlineState
    _BEGINNING: Final = re.compile(r"[\\\[\]\n]|!\[|https?://")

    def __init__(self) -> None:
        super().__init__(hard_wrap=True)
        self.specification["link_close"] = r"\]"
        self.register("escape", _ESCAPES, _escapes)
        self.register("escaped_angle", _ESCAPED_ANGLE, _escaped_angle)
        self.register("bare_url", BARE_URL, _bare_url, before="link")
        self.rules = ["escape", "escaped_angle", "bare_url", "link", "link_close", "linebreak", "softbreak"]

    def parse_link_close(self, m: re.Match[str], state: InlineState) -> int:
        """The end of a link's text. The library decides whether it is a link; its target is read here."""
        source, position = state.src, m.end()
        closing = source.find(")", position) if source.startswith("(", position) else -1
        if closing < 0:
            return super().parse_link_close(m, state)
        state.src = _ANY_TARGET
        end = super().parse_link_close(_ANY_TARGET_CLOSE, state)
        state.src = source
        if end == _ANY_TARGET_CLOSE.end():
            return position  # it is no link
        url, title, end = _target(cast("_InlineState", state), position, closing)
        state.tokens[-1]["attrs"] = {"url": url, "title": title}
        return end

    def _find_fast_text_end(self, src: str, pos: int) -> int:
        match = self._BEGINNING.search(src, pos)
        if match is None:
            return len(src)
        return self._find_linebreak_start(src, pos, match.start()) if match[0] == "\n" else match.start()


def _target(state: _InlineState, position: int, closing: int) -> tuple[str, str | None, int]:
    """Where a link leads, its title and where both end: what stands in round brackets at this position. They end at
    the first closing one, `closing`, unless that is in a title or closes a bracket of the target. A target may have
    blanks in it, as values may have some.
    """
    text = state.src
    match = _TARGET_START.match(text, position)
    start = match.end() if match else position
    closing = _balanced_closing(text, start, closing)
    title = _TITLE_START.search(text, start, closing)
    if title and state.has_title:
        end = _TITLE_END.search(text, title.end())
        if end:
            return _bare(text[start : title.start()]), text[title.end() : end.start()], end.end()
        state.has_title = False
    return _bare(text[start:closing].rstrip()), None, closing + 1


def _balanced_closing(text: str, start: int, first: int) -> int:
    """The closing bracket of a target that begins at `start`; `first` is the first one after it."""
    if text.find("(", start, first) < 0:
        return first
    match = _BALANCED.match(text, start, start + LONGEST_BALANCED_TARGET)
    end = match.end() if match else start
    if end <= first:
        return first
    if text.startswith(")", end):
        return end
    closing = text.find(")", end)
    return closing if closing >= 0 and _TITLE_START.match(text, end) else first


def _bare(url: str) -> str:
    return url[4:-4] if url.startswith("&lt;") and url.endswith("&gt;") else url


def _escapes(inline: InlineParser, match: re.Match[str], state: InlineState) -> int:
    inline.process_text(match[0][1::2], state)  # without every other character, which are the backslashes
    return match.end()


def _escaped_angle(_inline: InlineParser, match: re.Match[str], state: InlineState) -> int:
    """`\\>` is an escape in plain text only: in HTML the character is a reference by the time Markdown is read."""
    state.append_token({"type": "escaped_angle", "raw": match[0]})
    return match.end()


def _bare_url(_inline: InlineParser, match: re.Match[str], state: InlineState) -> int:
    state.append_token({"type": "bare_url", "raw": match[0]})
    return match.end()


class _LineStarts:
    """A pattern whose branches all begin with `^`. It is only tried at line starts, so that a megabyte without a line
    end is not searched character by character.
    """

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern = pattern
        self.match = pattern.match

    def search(self, text: str, position: int) -> re.Match[str] | None:
        """The first match at or after a position."""
        at_line_start = position == 0 or text[position - 1] == "\n"
        while True:
            if at_line_start and (match := self.match(text, position)):
                return match
            position = text.find("\n", position) + 1
            if not position:
                return None
            at_line_start = True


class _Block(BlockParser):
    """Finds the blocks of a text."""

    def parse_atx_heading(self, m: re.Match[str], state: BlockState) -> int:
        """A heading. All of its text is shown: the rest has been taken out of its line before."""
        text = m["atx_2"].strip(" ")
        state.append_token({"type": "heading", "text": text, "attrs": {"level": len(m["atx_1"])}})
        return m.end() + 1

    def compile_sc(self, rules: list[str] | None = None) -> re.Pattern[str]:
        """The pattern of these rules."""
        return cast("re.Pattern[str]", _LineStarts(super().compile_sc(rules)))


def _read_text(markdown: mistune.Markdown, state: BlockState) -> None:
    """Read the text of paragraphs and headings in its order, because footnotes are numbered as they are read. Blanks at
    the end of a paragraph stay, which the library would drop.
    """
    waiting = state.tokens[::-1]
    while waiting:
        token = waiting.pop()
        if "text" in token:
            text = token.pop("text").strip("\n").lstrip(" ")
            token["children"] = markdown.inline(text if token["type"] == "paragraph" else text.rstrip(" "), state.env)
        else:
            waiting += token.get("children", ())[::-1]


def _parser() -> mistune.Markdown:
    block = _Block()
    for rules in (block.rules, block.block_quote_rules, block.list_rules):
        for rule in ("raw_html", "setex_heading", "ref_link"):
            if rule in rules:
                rules.remove(rule)
    markdown = mistune.Markdown(renderer=None, block=block, inline=_Inline(), plugins=[footnotes])
    markdown.before_render_hooks.append(_read_text)
    return markdown


_MARKDOWN: Final = _parser()


def _few_brackets(text: str) -> str:
    if text.count("[") + text.count("]") <= MOST_BRACKETS:
        return text
    end = next(itertools.islice(_BRACKET.finditer(text), MOST_BRACKETS, None)).start()
    return text[:end] + text[end:].replace("[", "&#91;").replace("]", "&#93;")


def parse(text: str) -> Sequence[Token]:
    """The blocks of a text as tokens of `mistune`; a bare URL is a token `bare_url`. Addresses of links are escaped if
    the text is.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4)
    text = _few_brackets(text)
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)  # half a pair is no character, and no part of an address
    text, definitions = to_commonmark(text)
    state = _MARKDOWN.block.state_cls()
    state.env["ref_links"] = definitions
    tokens, _ = _MARKDOWN.parse(text, state)
    return cast("list[Token]", tokens)
