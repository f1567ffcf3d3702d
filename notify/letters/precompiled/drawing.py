"""What is drawn on pages: the rewritten address, the tag, the zones in red (contract: letters 4.3, 4.5, 6)."""

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
from notify.letters.precompiled.reading import inherited, media_box
from notify.letters.precompiled.typeface import EmbeddedFont

FONT: Final = "/NotifyFont"
STATE: Final = "/NotifyZones"


def address_operators(lines: Sequence[str], font: EmbeddedFont) -> bytes:
    """White where the old address was, and the new one in black. The last line stands lowest (4.3)."""
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
    """Draw the no-print zones over the content of a page, in red that lets it through."""
    resources = own_resources(page)
    states: Any = resources.get("/ExtGState", {})
    transparent = pikepdf.Dictionary({"/Type": Name("/ExtGState"), "/ca": 0.2, "/BM": Name.Normal})
    resources["/ExtGState"] = pikepdf.Dictionary({**dict(states.items()), STATE: transparent})
    zones = b"".join(_rectangle(zone.in_points) for zone in (OVERLAY_FIRST if first else OVERLAY_OTHER))
    add_content(pdf, page, b"q %s gs 1 0 0 rg %s Q\n" % (STATE.encode(), zones))


def own_resources(page: pikepdf.Dictionary) -> pikepdf.Dictionary:
    """The resources of a page, which are its own from now on: changes reach no other page."""
    found = inherited(page, "/Resources")
    values = dict(found.items()) if isinstance(found, pikepdf.Dictionary) else {}
    page[Name.Resources] = pikepdf.Dictionary(values)
    return page[Name.Resources]


def add_content(pdf: Pdf, page: pikepdf.Dictionary, operators: bytes) -> None:
    """Draw above the content of a page, whatever state that leaves."""
    contents: Any = page.get(Name.Contents)
    streams = list(contents) if isinstance(contents, pikepdf.Array) else [contents] if contents is not None else []
    before, after = pdf.make_stream(b"q\n"), pdf.make_stream(b"\nQ\n" + operators)
    page[Name.Contents] = pikepdf.Array([before, *streams, after])


def _rectangle(box: Box) -> bytes:
    return b"%.4f %.4f %.4f %.4f re f " % (box.x, box.y, box.x2 - box.x, box.y2 - box.y)


def _clusters(line: str) -> list[str]:
    """Letters with the accents that follow them: the address is in decomposed form."""
    found: list[str] = []
    for letter in _printable(line):
        if found and unicodedata.combining(letter):
            found[-1] += letter
        else:
            found.append(letter)
    return found


def _printable(line: str) -> Iterable[str]:
    return (letter if ord(letter) <= 0xFFFF else "\ufffd" for letter in line)
