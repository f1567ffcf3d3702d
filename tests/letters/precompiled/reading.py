"""Reads the contents of a PDF, as a printer and a viewer see them."""

from __future__ import annotations

import ctypes
import io
import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import pikepdf
import pypdfium2
import pypdfium2.raw as pdfium

POINT = 25.4 / 72
PROGRAMS = ("/FontFile", "/FontFile2", "/FontFile3")


class Letter(NamedTuple):
    """A letter, in millimetres from the top left corner."""

    text: str
    x: float
    baseline: float
    size: float
    font: str
    colour: tuple[int, ...]


class Line(NamedTuple):
    """Letters that follow each other on a baseline."""

    text: str
    x: float
    baseline: float
    size: float


def letters(pdf: bytes, index: int = 0) -> list[Letter]:
    """Every letter of a page."""
    document = pypdfium2.PdfDocument(pdf)
    page = document[index]
    height = page.get_mediabox()[3]
    textpage = pdfium.FPDFText_LoadPage(page)
    found = [
        _letter(textpage, at, height)
        for at in range(pdfium.FPDFText_CountChars(textpage))
        if pdfium.FPDFText_IsGenerated(textpage, at) != 1
    ]
    pdfium.FPDFText_ClosePage(textpage)
    document.close()
    return found


def _letter(textpage: Any, at: int, height: float) -> Letter:
    x, y, matrix = ctypes.c_double(), ctypes.c_double(), pdfium.FS_MATRIX()
    pdfium.FPDFText_GetCharOrigin(textpage, at, x, y)
    pdfium.FPDFText_GetMatrix(textpage, at, matrix)
    name, flags = ctypes.create_string_buffer(100), ctypes.c_int()
    pdfium.FPDFText_GetFontInfo(textpage, at, name, 100, flags)
    parts = [ctypes.c_uint() for _ in range(4)]
    pdfium.FPDFText_GetFillColor(textpage, at, *parts)
    size = pdfium.FPDFText_GetFontSize(textpage, at) * math.hypot(matrix.c, matrix.d)
    text, colour = chr(pdfium.FPDFText_GetUnicode(textpage, at)), tuple(part.value for part in parts)
    return Letter(
        text, x.value * POINT, (height - y.value) * POINT, size, name.value.decode().rpartition("+")[2], colour
    )


def lines(found: list[Letter]) -> list[Line]:
    """Letters as lines, in the order of the file."""
    groups: list[list[Letter]] = []
    for letter in found:
        before = groups[-1][-1] if groups else None
        if before and abs(before.baseline - letter.baseline) < 0.1 and abs(letter.x - before.x) < 6:
            groups[-1].append(letter)
        else:
            groups.append([letter])
    made = (
        Line("".join(one.text for one in group).strip(), *(round(value, 1) for value in group[0][1:4]))
        for group in groups
    )
    return [line for line in made if line.text]


def opened(pdf: bytes) -> pikepdf.Pdf:
    """For a look at its objects."""
    return pikepdf.open(io.BytesIO(pdf))


def operators(pdf: bytes) -> Iterator[tuple[str, list[Any]]]:
    """The operators of all pages and of the forms that they draw."""
    for page in opened(pdf).pages:
        forms: Any = page.resources.get("/XObject", {})
        for stream in [page, *(form for form in forms.values() if form.get("/Subtype") == "/Form")]:
            for instruction in pikepdf.parse_content_stream(stream):
                yield str(instruction.operator), list(instruction.operands)


def fonts(pdf: bytes) -> dict[str, bool]:
    """Each font of the pages by name, and whether it is embedded."""
    found = {}
    for page in opened(pdf).pages:
        each: Any = page.resources.get("/Font", {})
        for font in each.values():
            holder = font.DescendantFonts[0] if font.Subtype == "/Type0" else font
            if font.Subtype != "/Type3":
                name = str(font.BaseFont).lstrip("/")
                found[name] = any(program in holder.get("/FontDescriptor", {}) for program in PROGRAMS)
    return found
