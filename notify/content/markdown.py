"""The markdown of emails and letters (contract: content 6): read by `mistune`, in a dialect of its own.

The dialect differs from CommonMark in how lines begin. So lines are first respelled into what CommonMark says for the
same thing (`markdown_lines`), and the parser is left with the rules that the dialect has. What comes out is
`mistune`'s tree of tokens.
"""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, cast

import mistune
from mistune.block_parser import BlockParser
from mistune.core import BlockState, InlineState
from mistune.inline_parser import InlineParser
from mistune.plugins.footnotes import footnotes

from notify.content.markdown_lines import respell

Token = dict[str, Any]

CONTAINERS: Final = frozenset({"block_text", "block_quote", "footnotes", "footnote_item"})
"""Kinds of tokens that hold others, of which what they hold may be all that is shown."""

BARE_URL: Final = r"https?://(?:(?!&[lg]t;|\][(\[])[^\s<])*(?!&[lg]t;)[^\s<.,:\"')\]]"

_ESCAPES: Final = r"(?:\\(?:[\\`*{}\[\]()#+\-.!_>~|]|(?=&[lg]t;)))+"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BRACKET: Final = re.compile(r"[\[\]]")
_TARGET_START: Final = re.compile(r"\(\s*")
_TITLE_START: Final = re.compile(r"(?<!\s)\s+[\"']")
_TITLE_END: Final = re.compile(r"[\"']\s*\)")

LONGEST_TITLE: Final = 1000
MOST_BRACKETS: Final = 4000
"""Square brackets that are read; those beyond are text. Each may be part of a link, and is looked at several times."""


class _Inline(InlineParser):
    """Reads what is within a paragraph. Finds where something begins without stopping at each letter that might."""

    _BEGINNING: Final = re.compile(r"[\\\[\]\n]|!\[|https?://")

    def __init__(self) -> None:
        super().__init__(hard_wrap=True)
        self.register("escape", _ESCAPES, _escapes)
        self.register("bare_url", BARE_URL, _bare_url, before="link")
        self.rules = ["escape", "bare_url", "link", "link_close", "linebreak", "softbreak"]

    def parse_link_close(self, m: re.Match[str], state: InlineState) -> int:
        """The end of a link's text. The library finds out whether it is one; where it leads is read here."""
        target = _target(state.src, m.end())
        if target is None:
            return super().parse_link_close(m, state)
        source, state.src = state.src, f"{state.src[: m.end()]}(.)"
        end = super().parse_link_close(m, state)
        state.src = source
        if end == m.end():
            return end
        state.tokens[-1]["attrs"] = {"url": target.url, "title": target.title}
        return target.end

    def _find_fast_text_end(self, src: str, pos: int) -> int:
        match = self._BEGINNING.search(src, pos)
        if match is None:
            return len(src)
        return self._find_linebreak_start(src, pos, match.start()) if match[0] == "\n" else match.start()


class _Target(NamedTuple):
    """Where a link leads, what is said of it, and where that ends in the text."""

    url: str
    title: str | None
    end: int


def _target(text: str, position: int) -> _Target | None:
    """What is said in round brackets at this position. They end at the first closing one, but for those in a title;
    there may be blanks in the target, as values may have some.
    """
    match = _TARGET_START.match(text, position)
    end = text.find(")", position)
    if match is None or end < 0:
        return None
    start, shown = match.end(), None
    title = _TITLE_START.search(text, start, end)
    closing = _TITLE_END.search(text, title.end(), title.end() + LONGEST_TITLE) if title else None
    if title and closing:
        url, shown, end = text[start : title.start()], text[title.end() : closing.start()], closing.end()
    else:
        url, end = text[start:end].rstrip(), end + 1
    if url.startswith("&lt;") and url.endswith("&gt;"):
        url = url[4:-4]
    return _Target(html.unescape(url), shown, end)


def _escapes(inline: InlineParser, match: re.Match[str], state: InlineState) -> int:
    inline.process_text(match[0][1::2], state)  # without every other character, which are the backslashes
    return match.end()


def _bare_url(_inline: InlineParser, match: re.Match[str], state: InlineState) -> int:
    state.append_token({"type": "bare_url", "raw": match[0]})
    return match.end()


class _LineStarts:
    """A pattern all of whose branches begin with `^`, that is tried where lines begin and nowhere else: a megabyte
    without a line end is not looked at letter by letter.
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
    """Reads which blocks there are."""

    def compile_sc(self, rules: list[str] | None = None) -> re.Pattern[str]:
        """The pattern of these rules."""
        return cast("re.Pattern[str]", _LineStarts(super().compile_sc(rules)))


def _read_paragraphs(markdown: mistune.Markdown, state: BlockState) -> None:
    """Read what is in paragraphs, with the blanks at their ends, which the library would leave out."""
    waiting = list(state.tokens)
    while waiting:
        token = waiting.pop()
        waiting += token.get("children", ())
        if token["type"] == "paragraph":
            token["children"] = markdown.inline(token.pop("text").rstrip("\n").lstrip(" \n"), state.env)


def _parser() -> mistune.Markdown:
    block = _Block()
    for rules in (block.rules, block.block_quote_rules, block.list_rules):
        for rule in ("raw_html", "setex_heading"):
            if rule in rules:
                rules.remove(rule)
    markdown = mistune.Markdown(renderer=None, block=block, inline=_Inline(), plugins=[footnotes])
    markdown.before_render_hooks.append(_read_paragraphs)
    return markdown


_MARKDOWN: Final = _parser()


def _few_brackets(text: str) -> str:
    if text.count("[") + text.count("]") <= MOST_BRACKETS:
        return text
    end = next(itertools.islice(_BRACKET.finditer(text), MOST_BRACKETS, None)).start()
    return text[:end] + text[end:].replace("[", "&#91;").replace("]", "&#93;")


def parse(text: str) -> Sequence[Token]:
    """The blocks of a text, as `mistune` describes them; a bare URL is a token `bare_url`."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4)
    text = _few_brackets(text)
    if not text.isascii():
        text = _SURROGATE.sub("\ufffd", text)  # no character, and no part of an address
    tokens = _MARKDOWN(respell(text))
    return cast("list[Token]", tokens)
