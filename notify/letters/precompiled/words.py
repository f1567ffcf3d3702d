"""Words of a page and their positions, in the order of the file (contract: letters 4.2). Child processes only.

pdfium returns the position of each letter. Letters that follow each other on a baseline, in any direction, are a line;
a gap begins a new word, and a wide one a new line, because two columns side by side are separate texts.
"""

from __future__ import annotations

import ctypes
import math
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import pypdfium2.raw as pdfium
from pypdfium2 import PdfPage

from notify.letters.precompiled.areas import TAG, TAG_BOX, Box

WORD_GAP: Final = 0.15
LINE_GAP: Final = 0.8
"""In multiples of the size of the letter before."""
OFF_BASELINE: Final = 0.1
_HYPHEN: Final = 2
"""pdfium's character for a hyphen at the end of a line."""
_AROUND: Final = 60.0
"""In points. Letters farther from a box cannot be part of a word that touches it."""


class _Letter(NamedTuple):
    text: str
    x: float
    y: float
    box: Box
    size: float
    direction: tuple[float, float]


@dataclass(slots=True)
class Word:
    """A word. `line` counts the lines of the page; `box` is in points from the bottom left."""

    text: str
    line: int
    box: Box


def text_in(page: PdfPage, box: Box) -> str:
    """The words that touch a box (points), with spaces between them and newlines between lines; ligatures and accents
    are decomposed (NFKD).
    """
    lines: dict[int, list[str]] = {}
    for word in words(page, box):
        if word.box.meets(box):
            lines.setdefault(word.line, []).append(word.text)
    return unicodedata.normalize("NFKD", "\n".join(" ".join(line) for line in lines.values()))


def has_tag(page: PdfPage) -> bool:
    """Whether the text in the box of the tag is exactly the tag (contract: letters 4.5)."""
    textpage = pdfium.FPDFText_LoadPage(page)
    count = pdfium.FPDFText_CountChars(textpage)
    buffer = (ctypes.c_ushort * (count + 1))()
    pdfium.FPDFText_GetText(textpage, 0, count, buffer)
    pdfium.FPDFText_ClosePage(textpage)
    text = bytes(buffer).decode("utf-16-le", "ignore")
    if TAG not in "".join(text.split()):
        return False
    return text_in(page, TAG_BOX.in_points) == TAG


def words(page: PdfPage, near: Box) -> list[Word]:
    """The words of a page that are near a box (points)."""
    textpage = pdfium.FPDFText_LoadPage(page)
    try:
        return list(_words(_letters(textpage, near.grown(_AROUND))))
    finally:
        pdfium.FPDFText_ClosePage(textpage)


def _words(letters: Iterator[_Letter | None]) -> Iterator[Word]:
    """Group letters into words. None is a break, in place of letters that are far away."""
    line, before = 0, None
    word: Word | None = None
    for letter in letters:
        is_blank = letter is None or not letter.text.strip()
        step = _step(before, letter) if before is not None and letter is not None else "line"
        if word is not None and (is_blank or step != "letter"):
            yield word
            word = None
        line += step == "line"
        if letter is not None and not is_blank:
            word = _with(word, letter, line)
        before = letter
    if word is not None:
        yield word


def _with(word: Word | None, letter: _Letter, line: int) -> Word:
    if word is None:
        return Word(letter.text, line, letter.box)
    word.text += letter.text
    a, b = word.box, letter.box
    word.box = Box(min(a.x, b.x), min(a.y, b.y), max(a.x2, b.x2), max(a.y2, b.y2))
    return word


def _step(before: _Letter, letter: _Letter) -> str:
    """The kind of gap between two successive letters: `letter` (none), `word` or `line`."""
    if (letter.x, letter.y) == (before.x, before.y):  # the letters of a ligature
        return "letter"
    along, across = before.direction
    if along * letter.direction[0] + across * letter.direction[1] < 0.999:
        return "line"
    corners = ((before.box.x, before.box.y), (before.box.x2, before.box.y2))
    end = max(x * along + y * across for x, y in (*corners, (before.box.x, before.box.y2)))
    gap = letter.x * along + letter.y * across - end
    off = (letter.x - before.x) * -across + (letter.y - before.y) * along
    size = max(before.size, 1.0)
    if abs(off) > OFF_BASELINE * size or not -LINE_GAP * size < gap < LINE_GAP * size:
        return "line"
    return "letter" if abs(gap) < WORD_GAP * size else "word"


def _letters(textpage: pdfium.FPDF_TEXTPAGE, near: Box) -> Iterator[_Letter | None]:
    x, y = ctypes.c_double(), ctypes.c_double()
    was_near = False
    for index in range(pdfium.FPDFText_CountChars(textpage)):
        pdfium.FPDFText_GetCharOrigin(textpage, index, ctypes.byref(x), ctypes.byref(y))
        is_near = near.x <= x.value <= near.x2 and near.y <= y.value <= near.y2
        if is_near and pdfium.FPDFText_IsGenerated(textpage, index) != 1:
            letter = _letter(textpage, index, x.value, y.value)
            if letter is not None:
                yield letter
        elif was_near and not is_near:
            yield None
        was_near = is_near


def _letter(textpage: pdfium.FPDF_TEXTPAGE, index: int, x: float, y: float) -> _Letter | None:
    code = pdfium.FPDFText_GetUnicode(textpage, index)
    rectangle, matrix = pdfium.FS_RECTF(), pdfium.FS_MATRIX()
    pdfium.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(rectangle))
    pdfium.FPDFText_GetMatrix(textpage, index, ctypes.byref(matrix))
    length = math.hypot(matrix.a, matrix.b)
    if code == 0 or not length:
        return None
    text = "-" if code == _HYPHEN else chr(code) if code < 0x110000 else "\ufffd"
    size = pdfium.FPDFText_GetFontSize(textpage, index) * math.hypot(matrix.c, matrix.d)
    box = Box(rectangle.left, rectangle.bottom, rectangle.right, rectangle.top)
    return _Letter(text, x, y, box, abs(size), (matrix.a / length, matrix.b / length))
