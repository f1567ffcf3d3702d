"""The input data of the layout: one language of a letter as JSON.

Texts are only passed to the layout as strings of this JSON, never as source, so that nothing in them is markup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, assert_never

from notify.content.letter import Language, LetterPart
from notify.content.letter_render import Block, ItemList, PageBreak, Paragraph, QrCode, Run, Style
from notify.content.qr import code_rows
from notify.letters.render.letter import Purpose

DUMMY_MDI: Final = "000_000_0000000_000000_0000_00000"
"""Represents the line that the printer adds above the address (contract: letters 3.1)."""

_CODES_OF_LANGUAGES: Final[dict[Language, str]] = {"english": "en", "welsh": "cy"}

_BLANKS: Final = re.compile(r"[ \t\r\f]+")
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f]")

RunData = tuple[str, str]
"""Style and text. A line break has the style `break`."""


def part_as_json(part: LetterPart, purpose: Purpose) -> str:
    """The input of `layout/letter.typ`."""
    codes = purpose == "preview" and part.includes_first_page
    data = {
        "purpose": purpose,
        "lang": _CODES_OF_LANGUAGES[part.language],
        "page-words": part.page_words,
        "title": _clean("".join(run.text for run in part.subject)),
        "tag": purpose == "print" and part.includes_first_page,
        "codes": codes,
        "mdi": DUMMY_MDI if codes else None,
        "date": part.date,
        "subject": _runs(part.subject),
        "address": [_runs(_upper(line)) for line in part.address],
        "contact": _runs(part.contact_block),
        "body": _blocks(part.body),
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _clean(text: str) -> str:
    """Text without unprintable characters, including unpaired surrogates."""
    return _CONTROLS.sub("", text).encode("utf-8", "replace").decode()


def _runs(runs: Iterable[Run]) -> list[RunData]:
    """Runs with white space collapsed as in HTML: several blanks count as one, and none are next to a line break."""
    out: list[RunData] = []
    after_blank = True
    for run in runs:
        for position, piece in enumerate(_clean(run.text).split("\n")):
            if position:
                _end_line(out)
                out.append(("break", ""))
                after_blank = True
            text = _BLANKS.sub(" ", piece)
            if after_blank:
                text = text.removeprefix(" ")
            if text:
                out.append((run.style, text))
                after_blank = text.endswith(" ")
    _end_line(out)
    return out


def _end_line(runs: list[RunData]) -> None:
    if runs and runs[-1][1].endswith(" "):
        style, text = runs.pop()
        if text != " ":
            runs.append((style, text[:-1]))


_AS_WRITTEN: Final[frozenset[Style]] = frozenset({"placeholder-no-brackets", "placeholder-redacted"})


def _upper(line: Sequence[Run]) -> list[Run]:
    """A line of the address in capitals, except names of placeholders."""
    return [run if run.style in _AS_WRITTEN else Run(run.text.upper(), run.style) for run in line]


def _blocks(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    return [_block(block, is_last=block is blocks[-1]) for block in blocks]


def _block(block: Block, *, is_last: bool) -> dict[str, Any]:
    match block:
        case Paragraph():
            kind = "heading" if block.is_heading else "code-block" if block.is_code else "paragraph"
            return {"kind": kind, "runs": _runs(block.runs)}
        case ItemList():
            return {"kind": "list", "ordered": block.ordered, "items": [_blocks(item) for item in block.items]}
        case PageBreak():
            return {"kind": "page-break", "last": is_last}
        case QrCode():
            if block.unfilled:
                return {"kind": "empty-code", "runs": _runs(_with_placeholders(block.data))}
            return _code(block.data)
        case _:
            assert_never(block)


_PLACEHOLDER: Final = re.compile(r"(\(\(.+?\)\))")


def _with_placeholders(text: str) -> list[Run]:
    return [
        Run(piece, "placeholder" if position % 2 else "plain")
        for position, piece in enumerate(_PLACEHOLDER.split(text))
        if piece
    ]


def _code(data: str) -> dict[str, Any]:
    """The dark modules of a QR code as horizontal runs: `[x, y, length]`."""
    rows = code_rows(data)
    modules = [
        [match.start(), y, match.end() - match.start()]
        for y, row in enumerate(rows)
        for match in re.finditer(b"\x01+", row)
    ]
    return {"kind": "code", "size": len(rows), "modules": modules}
