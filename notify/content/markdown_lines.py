"""Translates the lines of the Markdown dialect of emails and letters (contract: content 6) to CommonMark.

Nesting is bounded, so that no text can exhaust the stack or take more than linear time.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import Final, NamedTuple

from mistune.util import unikey

_QUOTE: Final = re.compile(r"[ ]*\^.")
_QUOTE_MARK: Final = re.compile(r"^[ ]*\^[ ]?")
_MARKER: Final = re.compile(r"([ ]*)([*•-]|\d{1,9}\.)(?:([ ]*)(?=\S)(.*)|[ ]+$)")
_RULE: Final = re.compile(r"[ ]{0,3}([-*_])[ ]*+(?:\1[ ]*+){2,}+$")
_HEADING: Final = re.compile(r"[ ]{0,3}(#{1,6})(.+)")
_FOREIGN: Final = re.compile(r"[ ]{0,3}(?:(?=#{1,6}(?:\s|$)|\+(?:\s|$)|[*-]$|>|`{3}|~{3})|\d{1,9}(?=\)(?:\s|$)))")
_UNDERLINE: Final = re.compile(r"[ ]{0,3}(=+|-+)[ ]*$")
_TABLES: Final = (
    # header, delimiters and rows: with a bar at their beginnings, or without
    (re.compile(r"[ ]{0,3}\|."), re.compile(r"[ ]*\|[ ]*[-:][-| :]*$"), re.compile(r"[ ]*\|")),
    (re.compile(r"[ ]{0,3}\S.*\|"), re.compile(r"[ ]*[-:]+[ ]*\|[-| :]*$"), re.compile(r".*\|")),
)
_FENCE: Final = re.compile(r"[ ]{0,3}(`{3,}+|~{3,}+)[ ]*+(?:[^`\s]++[ ]*+)?$")
_LINK: Final = re.compile(r"[ ]{0,3}\[([^\^\]]+)\]:[ ]*(?:<|&lt;)?([^\s>]+?)(?:>|&gt;)?(?:[ ]+[\"(](.+)[\")])?[ ]*$")
_FOOTNOTE: Final = re.compile(r"[ ]{0,3}\[\^[^\]]+\]:(?=\s)")
_WIDE: Final = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_WIDE_BLANK: Final = re.compile(f"[{_WIDE}]")
_MARK: Final = re.compile(rf"([ {_WIDE}]{{0,3}})([*•^-]|#{{1,6}}|\d{{1,9}}\.)([ {_WIDE}]+)")
_MARKS_ONLY: Final = re.compile(rf"[-*_=`~ {_WIDE}]+")
CODE_INDENT: Final = 4
DEEPEST_QUOTE: Final = 5
DEEPEST_LIST: Final = 6
_NOTHING: Final = "![](.)"
"""Stands in an item without text: an image, which is not shown. CommonMark reads an empty item below a paragraph as
part of that paragraph.
"""

_BULLETS: Final = ("*", "-")
_NUMBERS: Final = ("1.", "1)")


Definition = dict[str, str | None]
"""The `url` and the `title` that a text defines for a name of links, in the form that `mistune` uses."""


def to_commonmark(text: str) -> tuple[str, dict[str, Definition]]:
    """The text with its lines in CommonMark, and the link definitions in it by their names."""
    definitions: dict[str, Definition] = {}
    lines = text.rstrip("\n").split("\n")
    return "\n".join(_Translator(lines, definitions).translate()), definitions


class _Item(NamedTuple):
    """A list item whose text may go on: its indent, the mark of its list, the column of its text in CommonMark."""

    indent: int
    mark: str
    offset: int


class _Translator:
    """Translates the lines of a text one after the other."""

    def __init__(self, lines: Sequence[str], definitions: dict[str, Definition], depth: int = 0) -> None:
        self._lines = [line if line.isascii() else _with_plain_blanks(line) for line in lines]
        self._definitions = definitions
        self._depth = depth
        self._position = 0
        self._after_blank = True
        self._blank_lines = 0
        self._items: list[_Item] = []
        self._lists = 0
        self._fences: defaultdict[str, list[int]] | None = None
        self._out: list[str] = []

    def translate(self) -> list[str]:
        """The lines in CommonMark."""
        blocks = (
            self._code,
            self._heading_or_rule,
            self._table,
            self._underlined,
            self._quote,
            self._link,
            self._footnote,
        )
        while self._position < len(self._lines):
            line = self._lines[self._position]
            if not line.strip():
                self._blank()
                continue
            if not any(block(line) for block in blocks):
                self._out += self._item(line) or self._text(line)
                self._position += 1
                self._after_blank = False
            self._blank_lines = 0
        return self._out

    def _blank(self) -> None:
        self._out.append("")
        self._after_blank = True
        self._blank_lines += 1
        self._position += 1

    def _block(self, *lines: str) -> None:
        """Lines that are a block alone: they end the lists before, and what follows is not part of them."""
        self._out += ["", *lines, ""]
        self._after_blank = True
        self._items.clear()

    def _quote(self, line: str) -> bool:
        """A quote goes on to a blank line, and beyond it when another one follows. It may stand directly below the text
        of a list item, or be indented below it; then it is part of the item and ends with it.
        """
        if not _QUOTE.match(line) or self._depth >= DEEPEST_QUOTE:
            return False
        indent = len(line) - len(line.lstrip(" "))
        is_in_item = bool(self._items) and self._blank_lines < 2 and (indent > 0 or not self._after_blank)
        if is_in_item:
            if self._after_blank:
                self._leave_items(indent)
            indent = self._beyond_item(indent)
        if indent >= CODE_INDENT or not (is_in_item or self._after_blank):
            return False
        lines = _Translator(self._quoted_lines(is_in_item), self._definitions, self._depth + 1).translate()
        if is_in_item:
            self._out += (f"{' ' * self._items[-1].offset}> {line}" for line in lines)
            self._after_blank = False
        else:
            self._block(*(f"> {line}" for line in lines))
        return True

    def _quoted_lines(self, is_in_item: bool) -> list[str]:
        """Takes the lines of a quote, without its marks."""
        taken: list[str] = []
        blanks = 0
        while self._position + blanks < len(self._lines):
            line = self._lines[self._position + blanks]
            if not line.strip():
                blanks += 1
                continue
            if blanks and not (_QUOTE.match(line) and (not is_in_item or (blanks == 1 and line.startswith(" ")))):
                break
            if is_in_item and _MARKER.match(line):
                break
            taken += [""] * blanks
            taken.append(_QUOTE_MARK.sub("", line, count=1))
            self._position += blanks + 1
            blanks = 0
        return taken

    def _code(self, line: str) -> bool:
        """A fence that is closed and not empty. Any other is text."""
        match = _FENCE.match(line)
        if match is None:
            return False
        if self._fences is None:
            self._fences = defaultdict(list)
            for position, other in enumerate(self._lines):
                if (fence := other.strip(" "))[:3] in ("```", "~~~"):
                    self._fences[fence].append(position)
        closings = self._fences[match[1]]
        closing = bisect_right(closings, self._position)
        if closing == len(closings) or closings[closing] == self._position + 1:
            return False
        code = self._lines[self._position + 1 : closings[closing]]
        longest = max((len(row.strip()) for row in code if row.strip()[:3] == match[1][:3]), default=0)
        fence = match[1][0] * max(len(match[1]), longest + 1)  # longer than any fence within it
        self._block(fence, *code, fence)
        self._position = closings[closing] + 1
        return True

    def _table(self, line: str) -> bool:
        """A table is not shown if anything follows its first two lines."""
        if not self._after_blank or (self._items and line.startswith(" ")) or self._position + 1 == len(self._lines):
            return False
        below = self._lines[self._position + 1]
        rows = [row for header, delimiters, row in _TABLES if header.match(line) and delimiters.match(below)]
        if not rows:
            return False
        if not any(other.strip() for other in islice(self._lines, self._position + 2, None)):
            return False
        self._position += 2
        while self._position < len(self._lines) and rows[0].match(self._lines[self._position]):
            self._position += 1
        self._block()
        return True

    def _underlined(self, line: str) -> bool:
        """A line with a row of `=` or `-` below it is a heading, no matter how it begins."""
        if self._position + 1 == len(self._lines):
            return False
        match = _UNDERLINE.match(self._lines[self._position + 1])
        if match is None or _RULE.match(line) or _HEADING.match(line) or line.startswith("    "):
            return False
        if self._items and (not self._after_blank or _MARKER.match(line)):
            return False
        self._block(("# " if match[1][0] == "=" else "## ") + line.strip())
        self._position += 2
        return True

    def _heading_or_rule(self, line: str) -> bool:
        heading = _HEADING.match(line)
        if heading:
            if self._items and (not self._after_blank or line.startswith(" ")):
                return False  # directly below an item it is that item's text
            text = heading[2].strip()
            line = f"{heading[1]} {text.rstrip('#').rstrip() or text[:1]}"
        elif _RULE.match(line):
            line = "***"
        else:
            return False
        self._block(line)
        self._position += 1
        return True

    def _link(self, line: str) -> bool:
        """A definition for links. It needs no blank line before, and the last one of a name counts."""
        match = _LINK.match(line)
        if match is None:
            return False
        name, url, title = match.groups()
        self._definitions[unikey(name)] = {"url": url, "title": title}
        self._block()
        self._position += 1
        return True

    def _footnote(self, line: str) -> bool:
        """A footnote's text. It needs no blank line before; indented lines that follow are part of it."""
        if not _FOOTNOTE.match(line):
            return False
        self._block(line)
        self._out.pop()
        self._position += 1
        return True

    def _item(self, line: str) -> list[str] | None:
        match = _MARKER.match(line)
        if match is None or self._is_text(match):
            return None
        indent, marker, blank, text = match.groups()
        ordered = marker[0].isdigit()
        if self._items and self._after_blank and not indent and blank == "":
            self._items.clear()  # below a blank line only a marker with a blank goes on with the list
        if not self._items and len(indent) > 3:
            return None
        before = []
        if not self._items or self._blank_lines >= 2:
            # with different marks, two lists that follow each other are not read as one
            self._items.clear()
            self._lists += 1
            mark = (_NUMBERS if ordered else _BULLETS)[self._lists % 2]
            before = [""]
        else:
            mark = _NUMBERS[0] if ordered else _BULLETS[0]
            is_first = True
            while self._items and (len(indent) < self._items[-1].indent + 2 or len(self._items) == DEEPEST_LIST):
                mark = self._items.pop().mark  # the list is of the kind that its first item is
                is_first = False
            if is_first and not text:
                text = _NOTHING
        column = self._items[-1].offset if self._items else 0
        self._items.append(_Item(len(indent), mark, column + len(mark) + 1))
        return [*before, f"{' ' * column}{mark} {_protected(text or '')}"]

    def _is_text(self, match: re.Match[str]) -> bool:
        _, marker, blank, rest = match.groups()
        in_list = bool(self._items)
        if blank is None or blank:
            return marker == "•" and not (self._after_blank or in_list)
        # no blank is needed where the list starts its own block; `**`, `*word*` and a number like 1.5 are no lists
        is_digits = marker[0].isdigit() and rest[0].isdigit()
        return not (self._after_blank or in_list) or rest[0] in "*-" or is_digits or (marker == "*" and "*" in rest)

    def _text(self, line: str) -> list[str]:
        """A line of a paragraph, indented as far as the text of its list item."""
        if not self._items:
            return [_protected(line)]
        indent = len(line) - len(line.lstrip(" "))
        if self._after_blank:
            if indent == 0:
                self._items.clear()
                return [_protected(line)]
            self._leave_items(indent)
        item = self._items[-1]
        beyond = self._beyond_item(indent)
        column = item.offset + (beyond if beyond >= CODE_INDENT else 0)
        return [" " * column + _protected(line[indent:])]

    def _beyond_item(self, indent: int) -> int:
        """How far a line is indented beyond the text of the last item."""
        return indent - self._items[-1].indent - 2

    def _leave_items(self, indent: int) -> None:
        """Leave the items that are indented as far as a line below a blank line, which is part of the item before."""
        while len(self._items) > 1 and self._items[-1].indent >= indent:
            self._items.pop()


def _with_plain_blanks(line: str) -> str:
    """A line whose marks have spaces around them: word processors and web pages put other blanks there. Blanks within
    the text, and before text without a mark, stay.
    """
    if _MARKS_ONLY.fullmatch(line):
        return _WIDE_BLANK.sub(" ", line)
    match = _MARK.match(line)
    if match is None or match[0].isascii():
        return line
    indent, mark, blanks = match.groups()
    return f"{' ' * len(indent)}{mark}{blanks if blanks.isascii() else ' '}{line[match.end() :]}"


def _protected(line: str) -> str:
    """A line of text, escaped where CommonMark would read its beginning as a mark."""
    match = _FOREIGN.match(line)
    return f"{line[: match.end()]}\\{line[match.end() :]}" if match else line
