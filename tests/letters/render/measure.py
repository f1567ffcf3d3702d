"""Positions in a PDF, read with pdfium: millimetres from the top left corner, sizes in points."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pypdfium2
from pypdfium2 import raw

MM = 25.4 / 72
LARGEST_GAP = 6.0


@dataclass
class Line:
    """Letters on one baseline, closer than 6 mm."""

    text: str
    x: float
    baseline: float
    end: float
    size: float
    colour: str
    fonts: set[str] = field(default_factory=set)


@dataclass
class Page:
    """A page and its lines, in the order of the file."""

    width: float
    height: float
    lines: list[Line]


@contextmanager
def opened(pdf: bytes) -> Iterator[list[Any]]:
    """The pages of a PDF."""
    document = pypdfium2.PdfDocument(pdf)
    pages = [document[index] for index in range(len(document))]
    try:
        yield pages
    finally:
        for page in pages:
            page.close()
        document.close()


def measured(pdf: bytes) -> list[Page]:
    """The pages of a PDF, measured."""
    with opened(pdf) as pages:
        return [_measured(page) for page in pages]


def _measured(page: Any) -> Page:
    width, height = page.get_size()
    text = page.get_textpage()
    try:
        lines: list[Line] = []
        for index in range(text.count_chars()):
            _add(lines, text.raw, index, height)
    finally:
        text.close()
    for line in lines:
        line.text = line.text.strip()
    return Page(width * MM, height * MM, lines)


def _add(lines: list[Line], text: Any, index: int, height: float) -> None:
    letter = chr(raw.FPDFText_GetUnicode(text, index))
    if letter in "\r\n" or raw.FPDFText_IsGenerated(text, index) == 1:
        return
    x, y, right = ctypes.c_double(), ctypes.c_double(), ctypes.c_double()
    raw.FPDFText_GetCharOrigin(text, index, x, y)
    raw.FPDFText_GetCharBox(text, index, ctypes.c_double(), right, ctypes.c_double(), ctypes.c_double())
    matrix = raw.FS_MATRIX()
    raw.FPDFText_GetMatrix(text, index, matrix)
    size = raw.FPDFText_GetFontSize(text, index) * abs(matrix.d)
    start, baseline, end = x.value * MM, (height - y.value) * MM, right.value * MM
    last = lines[-1] if lines else None
    if (
        last
        and abs(last.baseline - baseline) < 0.05
        and abs(start - last.end) < LARGEST_GAP
        and abs(last.size - size) < 0.01
    ):
        last.text += letter
        last.end = max(last.end, end)
    elif letter.strip():
        last = Line(letter, start, baseline, end, size, _colour(text, index))
        lines.append(last)
    else:
        return
    name = ctypes.create_string_buffer(100)
    raw.FPDFText_GetFontInfo(text, index, name, 100, ctypes.c_int())
    last.fonts.add(name.value.decode())


def _colour(text: Any, index: int) -> str:
    parts = [ctypes.c_uint() for _ in range(4)]
    raw.FPDFText_GetFillColor(text, index, *parts)
    return "#" + "".join(f"{part.value:02x}" for part in parts[:3])


def shapes(pdf: bytes, page: int = 0) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of what is drawn on a page, but text."""
    with opened(pdf) as pages:
        height = pages[page].get_height()
        bounds = [
            item.get_bounds() for item in pages[page].get_objects(max_depth=1) if item.type != raw.FPDF_PAGEOBJ_TEXT
        ]
    return [(left * MM, (height - top) * MM, right * MM, (height - bottom) * MM) for left, bottom, right, top in bounds]


def ink(pdf: bytes, page: int, areas: Sequence[tuple[float, float, float, float]], dots_a_mm: int = 4) -> int:
    """How many dots of these areas (left, top, right, bottom) of a page are not white."""
    with opened(pdf) as pages:
        bitmap = pages[page].render(scale=dots_a_mm * MM, grayscale=True)
        width, stride, pixels = bitmap.width, bitmap.stride, bytes(bitmap.buffer)
    dark = 0
    for left, top, right, bottom in areas:
        start, end = round(left * dots_a_mm), min(round(right * dots_a_mm), width)
        for y in range(round(top * dots_a_mm), round(bottom * dots_a_mm)):
            row = pixels[y * stride + start : y * stride + end]
            dark += len(row) - row.count(b"\xff")
    return dark
