"""The typeface of addresses and tags, embedded as a subset of the letters in use (contract: letters 4.3).

Liberation Sans has the widths of Arial. Its TrueType tables are described in the OpenType specification.
"""

from __future__ import annotations

import struct
from functools import cache, cached_property
from pathlib import Path
from typing import Final

import pikepdf
from pikepdf import Name, Pdf

FILE: Final = Path(__file__).parent.parent / "fonts" / "LiberationSans-Regular.ttf"
NAME: Final = "LiberationSans"
_KEPT: Final = ("cvt ", "fpgm", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "prep")
"""The tables that a PDF needs."""
_WORDS, _MORE, _SCALE, _XY_SCALE, _TWO_BY_TWO = 0x1, 0x20, 0x8, 0x40, 0x80
"""Flags of the components of a composite glyph."""


class Typeface:
    """A TrueType font: its glyphs, their widths, and subsets."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        count = struct.unpack_from(">H", content, 4)[0]
        entries = (struct.unpack_from(">4sLLL", content, 12 + 16 * index) for index in range(count))
        self._tables = {tag.decode("latin-1"): content[start : start + size] for tag, _, start, size in entries}
        self.units: int = struct.unpack_from(">H", self._tables["head"], 18)[0]
        self._glyph_count = struct.unpack_from(">H", self._tables["maxp"], 4)[0]
        self._wide_glyphs = struct.unpack_from(">H", self._tables["hhea"], 34)[0]

    def glyph(self, letter: str) -> int:
        """The number of a letter's glyph; 0 (an empty box) if the font has none."""
        return self._glyphs.get(ord(letter), 0)

    def width(self, glyph: int) -> float:
        """The width of a glyph, in thousandths of its size."""
        index = min(glyph, self._wide_glyphs - 1)
        advance: int = struct.unpack_from(">H", self._tables["hmtx"], 4 * index)[0]
        return round(float(advance) * 1000 / float(self.units), 2)

    def subset(self, glyphs: set[int]) -> bytes:
        """A font file with only the outlines of these glyphs, under the same numbers."""
        wanted = self._with_parts(glyphs | {0})
        outlines, offsets = bytearray(), [0]
        for glyph in range(self._glyph_count):
            if glyph in wanted:
                outlines += self._outline(glyph)
                outlines += b"\0" * (-len(outlines) % 4)
            offsets.append(len(outlines))
        head = bytearray(self._tables["head"])
        struct.pack_into(">h", head, 50, 1)  # long offsets
        changed = {
            "glyf": bytes(outlines),
            "loca": struct.pack(f">{len(offsets)}L", *offsets),
            "head": bytes(head),
        }
        return _font_file({tag: changed.get(tag, self._tables.get(tag, b"")) for tag in _KEPT})

    @cached_property
    def _offsets(self) -> tuple[int, ...]:
        loca, count = self._tables["loca"], self._glyph_count + 1
        if struct.unpack_from(">h", self._tables["head"], 50)[0]:
            return struct.unpack_from(f">{count}L", loca)
        return tuple(2 * offset for offset in struct.unpack_from(f">{count}H", loca))

    @cached_property
    def _glyphs(self) -> dict[int, int]:
        """Glyphs by code point, from the `cmap` subtable for the Basic Multilingual Plane (format 4)."""
        cmap = self._tables["cmap"]
        count = struct.unpack_from(">H", cmap, 2)[0]
        records = [struct.unpack_from(">HHL", cmap, 4 + 8 * index) for index in range(count)]
        table = next(cmap[start:] for platform, encoding, start in records if (platform, encoding) == (3, 1))
        segments = struct.unpack_from(">H", table, 6)[0] // 2
        ends = struct.unpack_from(f">{segments}H", table, 14)
        starts = struct.unpack_from(f">{segments}H", table, 16 + 2 * segments)
        deltas = struct.unpack_from(f">{segments}H", table, 16 + 4 * segments)
        at = 16 + 6 * segments
        ranges = struct.unpack_from(f">{segments}H", table, at)
        found = {}
        for index, (start, end, delta, offset) in enumerate(zip(starts, ends, deltas, ranges, strict=True)):
            for code in range(start, min(end, 0xFFFE) + 1):
                glyph = code
                if offset:
                    place = at + 2 * index + offset + 2 * (code - start)
                    glyph = struct.unpack_from(">H", table, place)[0]
                    if not glyph:
                        continue
                found[code] = (glyph + delta) & 0xFFFF
        return found

    def _outline(self, glyph: int) -> bytes:
        return self._tables["glyf"][self._offsets[glyph] : self._offsets[glyph + 1]]

    def _with_parts(self, glyphs: set[int]) -> set[int]:
        """The glyphs, and the components of composite ones."""
        found: set[int] = set()
        waiting = list(glyphs)
        while waiting:
            glyph = waiting.pop()
            if glyph not in found and glyph < self._glyph_count:
                found.add(glyph)
                waiting += _parts(self._outline(glyph))
        return found


def _parts(outline: bytes) -> list[int]:
    if not outline or struct.unpack_from(">h", outline)[0] >= 0:
        return []
    found, at, flags = [], 10, _MORE
    while flags & _MORE:
        flags, glyph = struct.unpack_from(">HH", outline, at)
        found.append(glyph)
        at += 8 if flags & _WORDS else 6
        at += 2 if flags & _SCALE else 4 if flags & _XY_SCALE else 8 if flags & _TWO_BY_TWO else 0
    return found


def _font_file(tables: dict[str, bytes]) -> bytes:
    """A TrueType file of tables."""
    present = {tag: table for tag, table in sorted(tables.items()) if table}
    power = len(present).bit_length() - 1
    header = struct.pack(">LHHHH", 0x10000, len(present), 16 << power, power, 16 * (len(present) - (1 << power)))
    at = len(header) + 16 * len(present)
    directory, body = bytearray(), bytearray()
    for tag, table in present.items():
        padded = table + b"\0" * (-len(table) % 4)
        total = sum(struct.unpack(f">{len(padded) // 4}L", padded)) & 0xFFFFFFFF
        directory += struct.pack(">4sLLL", tag.encode("latin-1"), total, at + len(body), len(table))
        body += padded
    return header + bytes(directory) + bytes(body)


@cache
def typeface() -> Typeface:
    """The typeface of addresses and tags."""
    return Typeface(FILE.read_bytes())


class EmbeddedFont:
    """The typeface in one PDF. Collects letters as they are written; `add_to` then makes the font."""

    def __init__(self) -> None:
        self._face = typeface()
        self._letters: dict[int, str] = {}

    def written(self, clusters: list[str]) -> bytes:
        """A line as the string of a content stream. Each of `clusters` is a letter with its accents."""
        import unicodedata

        codes = bytearray()
        for cluster in clusters:
            composed = unicodedata.normalize("NFC", cluster)
            parts = [cluster] if len(composed) == 1 and self._face.glyph(composed) else list(cluster)
            for part in parts:
                glyph = self._face.glyph(unicodedata.normalize("NFC", part))
                self._letters.setdefault(glyph, part)
                codes += struct.pack(">H", glyph)
        return bytes(codes)

    def add_to(self, pdf: Pdf) -> pikepdf.Object:
        """The font as an object of the PDF. Call it when everything is written."""
        glyphs = sorted(self._letters)
        stream = pdf.make_stream(self._face.subset(set(glyphs)))
        name = Name(f"/{_subset_tag(glyphs)}+{NAME}")
        descriptor = pikepdf.Dictionary(
            {
                "/Type": Name.FontDescriptor,
                "/FontName": name,
                "/Flags": 4,
                "/FontBBox": pikepdf.Array([-544, -303, 1302, 980]),
                "/ItalicAngle": 0,
                "/Ascent": 905,
                "/Descent": -212,
                "/CapHeight": 729,
                "/StemV": 80,
                "/FontFile2": stream,
            }
        )
        widths: list[object] = []
        for glyph in glyphs:
            widths += [glyph, pikepdf.Array([self._face.width(glyph)])]
        system = {"/Registry": pikepdf.String("Adobe"), "/Ordering": pikepdf.String("Identity"), "/Supplement": 0}
        descendant = {
            "/Type": Name.Font,
            "/Subtype": Name.CIDFontType2,
            "/BaseFont": name,
            "/CIDSystemInfo": pikepdf.Dictionary(system),
            "/FontDescriptor": pdf.make_indirect(descriptor),
            "/DW": 0,
            "/W": pikepdf.Array(widths),
            "/CIDToGIDMap": Name.Identity,
        }
        font = {
            "/Type": Name.Font,
            "/Subtype": Name.Type0,
            "/BaseFont": name,
            "/Encoding": Name("/Identity-H"),
            "/DescendantFonts": pikepdf.Array([pdf.make_indirect(pikepdf.Dictionary(descendant))]),
            "/ToUnicode": pdf.make_stream(self._to_unicode()),
        }
        return pdf.make_indirect(pikepdf.Dictionary(font))

    def _to_unicode(self) -> bytes:
        lines = [f"<{glyph:04X}> <{text.encode('utf-16-be').hex()}>" for glyph, text in self._letters.items()]
        pieces = [lines[at : at + 100] for at in range(0, len(lines), 100)]
        maps = "".join(f"{len(piece)} beginbfchar\n{chr(10).join(piece)}\nendbfchar\n" for piece in pieces)
        return (
            "/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n"
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
            "/CMapName /Adobe-Identity-UCS def /CMapType 2 def\n"
            "1 begincodespacerange <0000> <FFFF> endcodespacerange\n"
            f"{maps}endcmap CMapName currentdict /CMap defineresource pop end end\n"
        ).encode()


def _subset_tag(glyphs: list[int]) -> str:
    """Six capitals that identify a subset."""
    number = hash(tuple(glyphs)) % 26**6
    return "".join(chr(ord("A") + number // 26**place % 26) for place in range(6))
