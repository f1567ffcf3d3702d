"""The checks of a precompiled PDF, in the contract's order (letters 4, steps 2 to 6). Child processes only."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple

import pikepdf
import pypdfium2.raw as pdfium
from pikepdf import Pdf
from pypdfium2 import PdfBitmap, PdfDocument, PdfPage

from notify.content.postal_addresses import PostalAddress
from notify.letters.precompiled import page_annotations, words
from notify.letters.precompiled.areas import (
    AREA_TOLERANCE,
    FIRST_PAGE,
    HEIGHT,
    OTHER_PAGE,
    POINT,
    SEARCHED,
    SIZE_TOLERANCE,
    WIDTH,
    Box,
    uncovered,
)
from notify.letters.precompiled.errors import UnreadablePdfError
from notify.letters.precompiled.failures import FailureCode
from notify.letters.precompiled.reading import inherited, measured_copy, media_box, upright

MOST_PAGES: Final = 10
PIXELS: Final = 200 / 72
"""Pixels in a point at the resolution of the check (contract: letters 4, step 4)."""
_WHITE: Final = (255, 255, 255, 255)


class Verdict(NamedTuple):
    """The result of the checks. `code` is None if the PDF passes; `address` is None for an attachment."""

    code: FailureCode | None
    pages: tuple[int, ...] = ()
    address: PostalAddress | None = None
    has_tag: bool = False


def check(pdf: Pdf, content: bytes, *, international: bool, attachment: bool) -> Verdict:
    """Run all checks; the first failure counts. Raises `UnreadablePdfError`."""
    if len(pdf.pages) == 0:
        raise UnreadablePdfError("it has no pages")
    if len(pdf.pages) > MOST_PAGES:
        return Verdict("letter-too-long")
    pages = [page.obj for page in pdf.pages]
    if wrong := _numbers(not _is_a4_portrait(page) for page in pages):
        return Verdict("letter-not-a4-portrait-oriented", wrong)
    copy = measured_copy(content, upright)
    try:
        return _check_content(pdf, copy, international=international, attachment=attachment)
    finally:
        copy.close()


def _check_content(pdf: Pdf, copy: PdfDocument, *, international: bool, attachment: bool) -> Verdict:
    outside = _numbers(
        page_annotations.is_any_visible(pdf, page)
        or not _is_balanced(page)
        or _is_content_outside(copy[index], FIRST_PAGE if index == 0 and not attachment else OTHER_PAGE)
        for index, page in enumerate(page.obj for page in pdf.pages)
    )
    if outside:
        return Verdict("content-outside-printable-area", outside)
    tags = [words.has_tag(page) for page in copy]
    if wrong := _numbers(is_there and (attachment or index > 0) for index, is_there in enumerate(tags)):
        return Verdict("notify-tag-found-in-content", wrong)
    if attachment:
        return Verdict(None)
    text = words.text_in(copy[0], SEARCHED.in_points)
    if not text.strip():
        return Verdict("address-is-empty", (1,))
    address = PostalAddress(text, allow_international=international)
    if address.fault is not None:
        return Verdict(address.fault, (1,))
    return Verdict(None, (), address, tags[0])


def _numbers(faults: Iterable[bool]) -> tuple[int, ...]:
    return tuple(number for number, is_faulty in enumerate(faults, start=1) if is_faulty)


def _is_a4_portrait(page: pikepdf.Dictionary) -> bool:
    box = media_box(page)
    unit = page.get("/UserUnit", 1)
    scale = POINT * float(unit if isinstance(unit, int | Decimal) else 1)
    width, height = (box.x2 - box.x) * scale, (box.y2 - box.y) * scale
    rotation = inherited(page, "/Rotate")
    if rotation in (90, 270):
        width, height = height, width
    elif rotation not in (None, 0, 180):
        return False
    return abs(width - WIDTH) <= SIZE_TOLERANCE and abs(height - HEIGHT) <= SIZE_TOLERANCE


def _is_balanced(page: pikepdf.Dictionary) -> bool:
    """Whether every `Q` has its `q`. Otherwise, what we draw above the content would be misplaced."""
    depth = 0
    for stream in content_streams(page):
        try:
            operators = pikepdf.parse_content_stream(stream, "q Q")
        except pikepdf.PdfError:  # a later step decides whether it must be readable
            return True
        for instruction in operators:
            depth += 1 if str(instruction.operator) == "q" else -1
            if depth < 0:
                return False
    return True


def content_streams(page: pikepdf.Dictionary) -> Iterator[pikepdf.Stream]:
    """The streams with the content of a page."""
    contents: Any = page.get("/Contents")
    each = contents if isinstance(contents, pikepdf.Array) else [contents]
    return (stream for stream in each if isinstance(stream, pikepdf.Stream))


def _is_content_outside(page: PdfPage, areas: Iterable[Box]) -> bool:
    """Whether a pixel outside the areas (plus tolerance) is not white. Only renders these parts of the page."""
    box = Box(*page.get_mediabox())
    width, height = math.ceil((box.x2 - box.x) * PIXELS), math.ceil((box.y2 - box.y) * PIXELS)
    covered = [_in_pixels(area.grown(AREA_TOLERANCE).in_points, box) for area in areas]
    return any(not _is_white(page, (width, height), part) for part in uncovered((width, height), covered))


def _in_pixels(area: Box, page: Box) -> tuple[int, int, int, int]:
    """An area as pixels of a page, from the top left, including partly covered ones."""
    return (
        math.floor((area.x - page.x) * PIXELS),
        math.floor((page.y2 - area.y2) * PIXELS),
        math.ceil((area.x2 - page.x) * PIXELS),
        math.ceil((page.y2 - area.y) * PIXELS),
    )


def _is_white(page: PdfPage, size: tuple[int, int], part: tuple[int, int, int, int]) -> bool:
    x, y, x2, y2 = part
    bitmap = PdfBitmap.new_native(x2 - x, y2 - y, pdfium.FPDFBitmap_BGR)
    bitmap.fill_rect(_WHITE, 0, 0, x2 - x, y2 - y)
    pdfium.FPDF_RenderPageBitmap(bitmap, page, -x, -y, *size, 0, 0)
    pixels = bytes(bitmap.buffer)
    bitmap.close()
    # a row may have padding bytes, which are white or never set
    stride, row = len(pixels) // (y2 - y), 3 * (x2 - x)
    if stride == row:
        return pixels.count(b"\xff") == len(pixels)
    return all(pixels.count(b"\xff", at, at + row) == row for at in range(0, len(pixels), stride))
