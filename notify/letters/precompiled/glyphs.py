"""Widths of the glyphs of a PDF's fonts, to track the position of text in a content stream. Child processes only."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final, NamedTuple

import pikepdf
import pypdfium2.raw as pdfium
from pikepdf import Name
from pypdfium2 import PdfDocument

_CODES: Final = 256
_SPACE: Final = 32
_USUAL_WIDTH: Final = 0.556
_MOST_CIDS: Final = 70_000
_CODE_SPACE: Final = re.compile(rb"begincodespacerange(.*?)endcodespacerange", re.DOTALL)
_CID_RANGES: Final = re.compile(rb"begincidrange(.*?)endcidrange", re.DOTALL)
_HEX: Final = re.compile(rb"<\s*([0-9A-Fa-f]+)\s*>")
_CID_RANGE: Final = re.compile(rb"<\s*([0-9A-Fa-f]+)\s*>\s*<\s*([0-9A-Fa-f]+)\s*>\s*(\d+)")


class Glyph(NamedTuple):
    """A character code in a string, and how far it advances the position, in multiples of the font size."""

    code: bytes
    width: float
    is_space: bool


class Font:
    """A font as a content stream uses it."""

    def __init__(self, font: pikepdf.Dictionary) -> None:
        self.is_vertical = False
        self._widths: Mapping[int, float] = {}
        self._missing = _USUAL_WIDTH
        self._code_lengths = {1: range(_CODES)}
        self._ranges: list[tuple[int, int, int]] = []
        if font.get(Name.Subtype) == Name.Type0:
            self._read_composite(font)
        else:
            self._read_simple(font)

    def glyphs(self, text: bytes) -> Iterator[Glyph]:
        """The glyphs of a string."""
        at = 0
        while at < len(text):
            length = next((size for size, first in self._code_lengths.items() if text[at] in first), 1)
            code = text[at : at + length]
            number = int.from_bytes(code, "big")
            yield Glyph(code, self._widths.get(self._cid(number), self._missing), code == b" ")
            at += length

    def _cid(self, code: int) -> int:
        for low, high, first in self._ranges:
            if low <= code <= high:
                return first + code - low
        return code

    def _read_simple(self, font: pikepdf.Dictionary) -> None:
        scale = 0.001
        if font.get(Name.Subtype) == Name.Type3:
            scale = abs(float(font.get(Name.FontMatrix, [0.001])[0]))
        widths: Any = font.get(Name.Widths)
        if isinstance(widths, pikepdf.Array):
            first = int(font.get(Name.FirstChar, 0))
            values = list(widths)[:_CODES]
            self._widths = {first + index: float(width) * scale for index, width in enumerate(values)}
            descriptor: Any = font.get(Name.FontDescriptor, {})
            self._missing = float(descriptor.get("/MissingWidth", 0)) * scale
        else:
            self._widths = standard_widths(standard_name(font))

    def _read_composite(self, font: pikepdf.Dictionary) -> None:
        encoding: Any = font.get(Name.Encoding)
        self._code_lengths = {2: range(_CODES)}
        if isinstance(encoding, pikepdf.Stream):
            self._read_cmap(encoding.read_bytes())
            self.is_vertical = int(encoding.get("/WMode", 0)) == 1
        else:
            name = str(encoding)
            self.is_vertical = name.endswith("V")
            if not any(word in name for word in ("Identity", "UCS2", "UTF16")):
                self._code_lengths = {1: range(0x81), 2: range(0x81, _CODES)}
        descendant = font[Name.DescendantFonts][0]
        self._missing = float(descendant.get("/DW", 1000)) / 1000
        self._widths = dict(_cid_widths(descendant.get("/W")))

    def _read_cmap(self, cmap: bytes) -> None:
        found: dict[int, range] = {}
        for block in _CODE_SPACE.findall(cmap):
            codes = [bytes.fromhex(code.decode().zfill(len(code) + len(code) % 2)) for code in _HEX.findall(block)]
            for low, high in zip(codes[::2], codes[1::2], strict=False):
                found[len(low)] = range(low[0], high[0] + 1)
        self._code_lengths = dict(sorted(found.items())) or self._code_lengths
        for block in _CID_RANGES.findall(cmap):
            self._ranges += [(int(low, 16), int(high, 16), int(cid)) for low, high, cid in _CID_RANGE.findall(block)]


def _cid_widths(widths: Any) -> Iterator[tuple[int, float]]:
    """`/W`: `first [w w w]` or `first last w`."""
    items = list(widths) if isinstance(widths, pikepdf.Array) else []
    at = 0
    while at + 1 < len(items):
        first = int(items[at])
        if isinstance(items[at + 1], pikepdf.Array):
            yield from ((first + index, float(width) / 1000) for index, width in enumerate(items[at + 1]))
            at += 2
        elif at + 2 < len(items):
            last = min(int(items[at + 1]), first + _MOST_CIDS)
            yield from ((cid, float(items[at + 2]) / 1000) for cid in range(first, last + 1))
            at += 3
        else:
            return


def standard_name(font: pikepdf.Dictionary) -> str:
    """The most similar of PDF's 14 standard fonts."""
    name = str(font.get(Name.BaseFont, "")).lstrip("/").rpartition("+")[2].lower()
    descriptor = font.get(Name.FontDescriptor)
    flags = int(descriptor.get("/Flags", 0)) if isinstance(descriptor, pikepdf.Dictionary) else 0
    if "symbol" in name:
        return "Symbol"
    if "dingbat" in name:
        return "ZapfDingbats"
    bold = "bold" in name or "black" in name or "heavy" in name
    slanted = "italic" in name or "oblique" in name or bool(flags & 64)
    if "courier" in name or "mono" in name or "consol" in name or flags & 1:
        return "Courier" + _style(bold, slanted, "Oblique")
    is_serif = any(word in name for word in ("times", "serif", "roman", "georgia", "garamond", "cambria", "song"))
    if (is_serif and "sans" not in name) or (flags & 2 and not any(word in name for word in ("arial", "helvetica"))):
        return "Times" + (_style(bold, slanted, "Italic") or "-Roman")
    return "Helvetica" + _style(bold, slanted, "Oblique")


def _style(bold: bool, slanted: bool, word: str) -> str:
    text = ("Bold" if bold else "") + (word if slanted else "")
    return f"-{text}" if text else ""


@cache
def standard_widths(name: str) -> Mapping[int, float]:
    """Widths by code (WinAnsi) of a standard font, in multiples of the font size."""
    document = PdfDocument.new()
    font = pdfium.FPDFText_LoadStandardFont(document, name.encode())
    width = ctypes.c_float()
    found = {}
    for code in range(_SPACE, _CODES):
        letter = bytes([code]).decode("cp1252", "replace")
        if pdfium.FPDFFont_GetGlyphWidth(font, ord(letter), ctypes.c_float(1000.0), ctypes.byref(width)):
            found[code] = width.value / 1000
    pdfium.FPDFFont_Close(font)
    document.close()
    return found
