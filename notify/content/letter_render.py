"""Makes blocks for a renderer of pages from the tokens of a letter's Markdown (contract: content 6.1, 8.4, letters
3.2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from typing import Literal, cast

from notify.content.markdown import CONTAINERS, Token
from notify.content.qr import code_data
from notify.content.text import replace_references, typography

Style = Literal[
    "plain", "bold", "placeholder", "placeholder-conditional", "placeholder-no-brackets", "placeholder-redacted"
]


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one style. A newline in it is a line break."""

    text: str
    style: Style = "plain"


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text, and whether it is a heading, or was a block of code: then there is no margin below it."""

    runs: tuple[Run, ...]
    is_heading: bool = False
    is_code: bool = False

    @property
    def text(self) -> str:
        """The text without its styles."""
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True, slots=True)
class ItemList:
    """Bullets, or numbers from 1. Each item is a sequence of blocks."""

    ordered: bool
    items: tuple[tuple[Block, ...], ...]


@dataclass(frozen=True, slots=True)
class PageBreak:
    """What follows begins a new page."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """A code with this data. If it is `unfilled`, a placeholder in it has no value, and the data is shown instead."""

    data: str
    unfilled: bool = False


Block = Paragraph | ItemList | PageBreak | QrCode


def as_blocks(tokens: Sequence[Token]) -> tuple[Block, ...]:
    """The message as blocks."""
    composer = _Composer()
    text = typography(composer.html(tokens))
    builder = _Builder(composer.codes, hyphen="\u2011")  # no line ends at a hyphen
    builder.read(text)
    return builder.blocks()


def as_runs(text: str) -> tuple[Run, ...]:
    """HTML that has only line breaks and placeholders in it, as runs."""
    builder = _Builder([])
    builder.read(text)
    return builder.runs()


def find_codes(tokens: Sequence[Token]) -> Iterator[str]:
    """The data of all QR codes, still escaped."""
    for token in tokens:
        if token["type"] == "paragraph":
            data = code_data(_literal(token["children"]))
            if data is not None:
                yield data
        elif "children" in token:
            yield from find_codes(token["children"])


def _literal(tokens: Sequence[Token]) -> str:
    """Text as it was written, except that line breaks are newlines, which no code has."""
    return "".join("\n" if token["type"] == "linebreak" else _inline(token, bold_urls=False) for token in tokens)


def _inline(token: Token, *, bold_urls: bool = True) -> str:
    kind = token["type"]
    if kind in ("text", "escaped_angle"):
        return str(token["raw"])
    if kind == "bare_url":
        url = str(token["raw"])
        return f"<strong>{url.partition('://')[2]}</strong>" if bold_urls else url
    if kind == "link":
        text = "".join(_inline(child, bold_urls=False) for child in token["children"])
        title = token["attrs"].get("title")
        url = token["attrs"]["url"]
        return f'[{text}]({url} "{title}")' if title else f"[{text}]({url})"
    return "<br>" if kind == "linebreak" else ""  # images and references to footnotes are not shown


class _Composer:
    """Makes HTML of tokens, which typography is applied to. The data of QR codes is kept aside in `codes`."""

    def __init__(self) -> None:
        self.codes: list[QrCode] = []

    def html(self, tokens: Sequence[Token]) -> str:
        return "".join(map(self._token, tokens))

    def _token(self, token: Token) -> str:
        kind = token["type"]
        if kind == "paragraph":
            data = code_data(_literal(token["children"]))
            return self._text("p", token) if data is None else self._code(data)
        if kind == "heading":
            return self._text("h2" if token["attrs"]["level"] == 1 else "p", token)
        if kind == "list":
            items = "".join(f"<li>{self.html(item['children'])}</li>" for item in token["children"])
            tag = "ol" if token["attrs"]["ordered"] else "ul"
            return f"<{tag}>{items}</{tag}>"
        if kind == "thematic_break":
            return "<hr>"
        if kind == "block_code":
            return f"<pre>{token['raw']}</pre>"
        if kind in CONTAINERS:
            return self.html(token["children"])
        return _inline(token)

    def _text(self, tag: str, token: Token) -> str:
        return f"<{tag}>{''.join(map(_inline, token['children']))}</{tag}>"

    def _code(self, data: str) -> str:
        text = "".join(run.text for run in as_runs(data))
        self.codes.append(QrCode(text, unfilled="<span" in data))
        return "<code></code>"


class _Builder(HTMLParser):
    """Makes blocks of that HTML."""

    def __init__(self, codes: list[QrCode], hyphen: str = "-") -> None:
        super().__init__(convert_charrefs=True)
        self._codes = iter(codes)
        self._hyphen = hyphen
        self._containers: list[list[Block]] = [[]]
        self._lists: list[tuple[bool, list[tuple[Block, ...]]]] = []
        self._runs: list[Run] = []
        self._style: Style = "plain"

    def read(self, text: str) -> None:
        """Reads a whole text. References that are harmless as characters are replaced first: the library is slow with
        each.
        """
        self.feed(replace_references(text, but="<"))
        self.close()

    def blocks(self) -> tuple[Block, ...]:
        self._end_paragraph()
        return tuple(self._containers[0])

    def runs(self) -> tuple[Run, ...]:
        return tuple(self._runs)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "br":
            self._runs.append(Run("\n"))
        elif tag == "strong":
            self._style = "bold"
        elif tag == "span":
            self._style = cast(Style, dict(attrs).get("class"))
        else:
            self._end_paragraph()
            if tag in ("ul", "ol"):
                self._lists.append((tag == "ol", []))
            elif tag == "li":
                self._containers.append([])
            elif tag == "hr":
                self._containers[-1].append(PageBreak())
            elif tag == "code":
                self._containers[-1].append(next(self._codes))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("strong", "span"):
            self._style = "plain"
            return
        self._end_paragraph(is_heading=tag == "h2", is_code=tag == "pre")
        if tag == "li":
            item = self._containers.pop()
            self._lists[-1][1].append(tuple(item))
        elif tag in ("ul", "ol"):
            ordered, items = self._lists.pop()
            self._containers[-1].append(ItemList(ordered, tuple(items)))

    def handle_data(self, data: str) -> None:
        self._runs.append(Run(data.replace("-", self._hyphen), self._style))

    def _end_paragraph(self, *, is_heading: bool = False, is_code: bool = False) -> None:
        runs, self._runs = self._runs, []
        shown = [position for position, run in enumerate(runs) if run.text.strip()]
        if shown:
            runs = runs[shown[0] : shown[-1] + 1]
            runs[0] = replace(runs[0], text=runs[0].text.lstrip())
            runs[-1] = replace(runs[-1], text=runs[-1].text.rstrip())
            self._containers[-1].append(Paragraph(tuple(runs), is_heading, is_code))
