"""Finds characters of a letter that no font has. They are shown as empty boxes."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pikepdf import Pdf

_BOX = b"\0\0"
"""Glyph 0, as Typst writes it: the codes in all its fonts have two bytes and are glyph numbers."""


def empty_boxes(pdf: bytes, text: str) -> frozenset[str]:
    """The scripts of characters in `text` that our font lacks, if any of them is an empty box in the PDF of Typst; else
    nothing. A script is the first word of its characters' Unicode names: `ARABIC`, `CJK`, `DEVANAGARI`.

    For a usual letter this only checks its characters.
    """
    if text.isascii():
        return frozenset()
    # most processes never touch a PDF, and this loads pikepdf
    from notify.letters.precompiled.typeface import typeface

    face = typeface()
    foreign = {character for character in set(text) if ord(character) > 0x7F and not face.glyph(character)}
    if not foreign:
        return frozenset()

    import pikepdf

    with pikepdf.open(io.BytesIO(pdf)) as document:
        if not any(_BOX in _codes(shown) for shown in _shown(document)):
            return frozenset()
    return frozenset(unicodedata.name(character, "UNKNOWN").split()[0] for character in foreign)


def _shown(document: Pdf) -> Iterator[bytes]:
    """The strings of text on the pages."""
    import pikepdf

    for page in document.pages:
        for instruction in pikepdf.parse_content_stream(page, "Tj TJ"):
            strings = instruction.operands[0]
            for each in strings if isinstance(strings, pikepdf.Array) else (strings,):
                if isinstance(each, pikepdf.String):
                    yield bytes(each)


def _codes(shown: bytes) -> Iterator[bytes]:
    return (shown[at : at + 2] for at in range(0, len(shown), 2))
