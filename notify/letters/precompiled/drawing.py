"""Draws on pages: the rewritten address, the tag, the zones in red (contract: letters 4.3, 4.5, 6)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any, Final

import pikepdf
from pikepdf import Name, Pdf

from notify.letters.precompiled.areas import (
    ADDRESS_BASELINE,
    ADDRESS_PITCH,
    ADDRESS_SIZE,
    HEIGHT,
    OVERLAY_FIRST,
    OVERLAY_OTHER,
    POINT,
    SEARCHED,
    TAG,
    TAG_BASELINE,
    TAG_SIZE,
    TAG_X,
    WINDOW,
    Box,
)
from notify.letters.precompiled.matrices import IDENTITY, Matrix
from notify.letters.precompiled.reading import inherited, media_box
from notify.letters.precompiled.typeface import EmbeddedFont

FONT: Final = "/NotifyFont"
STATE: Final = "/NotifyZones"


def address_operators(lines: Sequence[str], font: EmbeddedFont) -> bytes:
    """White over the old address, and the new one in black, aligned to the bottom (4.3)."""
    baseline = (HEIGHT - ADDRESS_BASELINE) / POINT + ADDRESS_PITCH * (len(lines) - 1)
    left = WINDOW.x / POINT
    text = b"".join(b"<%s> Tj T* " % font.written(_clusters(line)).hex().encode() for line in lines)
    return (
        b"q 1 g %s %s" % (_rectangle(SEARCHED.in_points), _rectangle(WINDOW.in_points))
        + b"0 g BT %s %g Tf 0 Tr %g TL %.4f %.4f Td " % (FONT.encode(), ADDRESS_SIZE, ADDRESS_PITCH, left, baseline)
        + text
        + b"ET Q\n"
    )


def tag_operators(page: pikepdf.Dictionary, font: EmbeddedFont) -> bytes:
    """The tag in white, measured from the top of the media box (4.5)."""
    baseline = media_box(page).y2 - TAG_BASELINE / POINT
    place = b"%.4f %.4f Td" % (TAG_X / POINT, baseline)
    letters = font.written(list(TAG)).hex().encode()
    return b"q 1 g BT %s %g Tf 0 Tr %s <%s> Tj ET Q\n" % (FONT.encode(), TAG_SIZE, place, letters)


def add_zones(pdf: Pdf, page: pikepdf.Dictionary, *, first: bool) -> None:
    """Draw the no-print zones over the content of a page, in transparent red."""
    resources = own_resources(page)
    states: Any = resources.get("/ExtGState", {})
    transparent = pikepdf.Dictionary({"/Type": Name("/ExtGState"), "/ca": 0.2, "/BM": Name.Normal})
    resources["/ExtGState"] = pikepdf.Dictionary({**dict(states.items()), STATE: transparent})
    zones = b"".join(_rectangle(zone.in_points) for zone in (OVERLAY_FIRST if first else OVERLAY_OTHER))
    add_content(pdf, page, b"q %s gs 1 0 0 rg %s Q\n" % (STATE.encode(), zones))


def set_upright(pdf: Pdf, page: pikepdf.Dictionary) -> None:
    """Rotate the content instead of the page, and move the origin to its corner. The printed page is the same, and it
    shows exactly what was checked.
    """
    box, rotation = media_box(page), page.get("/Rotate", 0)
    width, height = box.x2 - box.x, box.y2 - box.y
    turned = {
        0: Matrix(e=-box.x, f=-box.y),
        90: Matrix(0, -1, 1, 0, -box.y, box.x2),
        180: Matrix(-1, 0, 0, -1, box.x2, box.y2),
        270: Matrix(0, 1, -1, 0, box.y2, -box.x),
    }[int(rotation)]
    if rotation in (90, 270):
        width, height = height, width
    page[Name.MediaBox] = pikepdf.Array([0, 0, width, height])
    for key in ("/Rotate", "/CropBox"):
        if key in page:
            del page[key]
    if turned != IDENTITY:
        add_content(pdf, page, b"", b"q %.4f %.4f %.4f %.4f %.4f %.4f cm\n" % turned)
        if Name.Annots in page:  # their positions would be wrong, and printing does not need them
            del page[Name.Annots]


def own_resources(page: pikepdf.Dictionary) -> pikepdf.Dictionary:
    """A page's own copy of its resources, so that changes do not affect other pages."""
    found = inherited(page, "/Resources")
    values = dict(found.items()) if isinstance(found, pikepdf.Dictionary) else {}
    page[Name.Resources] = pikepdf.Dictionary(values)
    own = page[Name.Resources]
    assert isinstance(own, pikepdf.Dictionary)  # noqa: S101
    return own


def add_content(pdf: Pdf, page: pikepdf.Dictionary, operators: bytes, before: bytes = b"q\n") -> None:
    """Draw above the content of a page, whatever state that leaves. `before` comes first, and begins with `q`."""
    contents: Any = page.get(Name.Contents)
    streams = list(contents) if isinstance(contents, pikepdf.Array) else [contents] if contents is not None else []
    first, last = pdf.make_stream(before), pdf.make_stream(b"\nQ\n" + operators)
    page[Name.Contents] = pikepdf.Array([first, *streams, last])


def _rectangle(box: Box) -> bytes:
    return b"%.4f %.4f %.4f %.4f re f " % (box.x, box.y, box.x2 - box.x, box.y2 - box.y)


def _clusters(line: str) -> list[str]:
    """Letters with their combining accents: the address is in decomposed form."""
    found: list[str] = []
    for letter in _printable(line):
        if found and unicodedata.combining(letter):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def _printable(line: str) -> Iterable[str]:
    return (letter if ord(letter) <= 0xFFFF else "\ufffd" for letter in line)
