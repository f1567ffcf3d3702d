"""Embeds fonts that a PDF refers to by name only (contract: letters 4.4). Child processes only.

A font that is not in the file is replaced by the nearest of the 14 standard fonts in pdfium. Chinese, Japanese and
Korean fonts cannot be replaced: no font here has their characters.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import pikepdf
import pypdfium2.raw as pdfium
from pikepdf import Array, Dictionary, Name, Pdf
from pypdfium2 import PdfDocument

from notify.letters.precompiled.glyphs import standard_name, standard_widths

_FILES: Final = ("/FontFile", "/FontFile2", "/FontFile3")
_CFF: Final = b"\x01\x00"
_MOST_RESOURCES: Final = 5000


def embed_fonts(pdf: Pdf) -> list[str]:
    """Embed missing fonts. Returns the names of those that could not be embedded."""
    programs: dict[str, pikepdf.Object] = {}
    left = []
    for font in _missing(pdf):
        if font.get(Name.Subtype) not in (Name.Type1, Name.TrueType, Name.MMType1):
            left.append(str(font.get(Name.BaseFont, "")).lstrip("/"))
            continue
        standard = standard_name(font)
        if standard not in programs:
            stream = pdf.make_stream(font_program(standard))
            stream[Name.Subtype] = Name("/Type1C")
            programs[standard] = stream
        _embed(pdf, font, standard, programs[standard])
    return left


def is_any_missing(pdf: Pdf) -> bool:
    """Whether a font is not embedded."""
    return next(_missing(pdf), None) is not None


def _missing(pdf: Pdf) -> Iterator[Dictionary]:
    """Each font without a font program, once, in the resources of pages and of everything drawn on them."""
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [page.obj.get(Name.Resources) for page in pdf.pages]
    looked_at = 0
    while waiting and looked_at < _MOST_RESOURCES:
        resources, looked_at = waiting.pop(), looked_at + 1
        if not isinstance(resources, Dictionary):
            continue
        for font in _entries(resources, "/Font"):
            if isinstance(font, Dictionary) and _is_new(font, seen):
                waiting.append(font.get(Name.Resources))
                if _lacks_program(font):
                    yield font
        for kind in ("/XObject", "/Pattern"):
            waiting += [
                thing.get(Name.Resources)
                for thing in _entries(resources, kind)
                if isinstance(thing, pikepdf.Stream) and _is_new(thing, seen)
            ]


def _entries(resources: Dictionary, kind: str) -> Iterator[Any]:
    entries = resources.get(kind)
    yield from entries.values() if isinstance(entries, Dictionary) else ()


def _is_new(thing: pikepdf.Object, seen: set[tuple[int, int]]) -> bool:
    key = thing.objgen
    if key == (0, 0):
        return True
    is_new = key not in seen
    seen.add(key)
    return is_new


def _lacks_program(font: Dictionary) -> bool:
    if font.get(Name.Subtype) == Name.Type3 or Name.BaseFont not in font:
        return False
    holder: Any = font
    if font.get(Name.Subtype) == Name.Type0:
        descendants: Any = font.get(Name.DescendantFonts, [])
        holder = descendants[0] if len(descendants) else font
    descriptor = holder.get(Name.FontDescriptor) if isinstance(holder, Dictionary) else None
    return not isinstance(descriptor, Dictionary) or not any(key in descriptor for key in _FILES)


def _embed(pdf: Pdf, font: Dictionary, standard: str, program: pikepdf.Object) -> None:
    name = font[Name.BaseFont]
    found = font.get(Name.FontDescriptor)
    old = found if isinstance(found, Dictionary) else Dictionary()
    is_symbolic = standard in ("Symbol", "ZapfDingbats")
    values: dict[str, Any] = {
        "/Type": Name.FontDescriptor,
        "/Flags": 4 if is_symbolic else 32,
        "/FontBBox": Array([-200, -300, 1200, 1000]),
        "/ItalicAngle": -12 if standard.endswith(("Oblique", "Italic")) else 0,
        "/Ascent": 750,
        "/Descent": -250,
        "/CapHeight": 700,
        "/StemV": 80,
    }
    if "/MissingWidth" in old:
        values["/MissingWidth"] = old["/MissingWidth"]
    values |= {"/FontName": name, "/FontFile3": program}
    font[Name.FontDescriptor] = pdf.make_indirect(Dictionary(values))
    font[Name.Subtype] = Name.Type1
    encoding: Any = font.get(Name.Encoding)
    is_plain = encoding is None or encoding in (Name.WinAnsiEncoding, Name.StandardEncoding)
    if Name.Widths not in font and is_plain and not is_symbolic:
        widths = standard_widths(standard)
        font[Name.FirstChar], font[Name.LastChar] = 32, 255
        font[Name.Widths] = Array([round(widths.get(code, 0.0) * 1000) for code in range(32, 256)])


@cache
def font_program(name: str) -> bytes:
    """The font program of a standard font, in the Compact Font Format."""
    document = PdfDocument.new()
    font = pdfium.FPDFText_LoadStandardFont(document, name.encode())
    size = ctypes.c_size_t()
    pdfium.FPDFFont_GetFontData(font, None, 0, ctypes.byref(size))
    buffer = (ctypes.c_ubyte * size.value)()
    pdfium.FPDFFont_GetFontData(font, buffer, size.value, ctypes.byref(size))
    pdfium.FPDFFont_Close(font)
    document.close()
    program = bytes(buffer)
    if not program.startswith(_CFF):
        raise ValueError(f"the program of {name} is in another format")
    return program
