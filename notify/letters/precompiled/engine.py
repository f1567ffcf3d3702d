"""The jobs of a child process: each takes a PDF and returns JSON and bytes (contract: letters 4, 6)."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, Final

import pikepdf
import pypdfium2.raw as pdfium
from pikepdf import Array, Dictionary, Name, Pdf
from pypdfium2 import PdfBitmap, PdfPage

from notify.letters.precompiled import page_annotations
from notify.letters.precompiled.areas import SEARCHED
from notify.letters.precompiled.checks import Verdict, check, content_streams
from notify.letters.precompiled.colours import Conversion, needs_conversion
from notify.letters.precompiled.drawing import (
    FONT,
    add_content,
    add_zones,
    address_operators,
    own_resources,
    set_upright,
    tag_operators,
)
from notify.letters.precompiled.embedding import embed_fonts, is_any_missing
from notify.letters.precompiled.errors import PageMissingError, UnreadablePdfError
from notify.letters.precompiled.reading import inherited, measured_copy, open_pdf, saved
from notify.letters.precompiled.redaction import Instruction, Redaction, balanced, shallow_copy
from notify.letters.precompiled.typeface import EmbeddedFont

VERSION: Final = "1.7"
MOST_PIXELS: Final = 16_000_000
HIDDEN_PIXELS: Final = (130, 50)
"""The pixels that `hide_notify` covers, at `HIDDEN_DPI`."""
HIDDEN_DPI: Final = 150
_KEPT_OF_ROOT: Final = ("/Type", "/Pages", "/OCProperties")
_KEPT_OF_PAGE: Final = (
    "/Type",
    "/Parent",
    "/MediaBox",
    "/CropBox",
    "/Rotate",
    "/UserUnit",
    "/Resources",
    "/Contents",
    "/Group",
)

Answer = tuple[dict[str, Any], bytes]


def sanitise(content: bytes, *, international: bool, attachment: bool) -> Answer:
    """Check a letter or an attachment. If it passes, the bytes are the rewritten file."""
    pdf = open_pdf(content)
    count = len(pdf.pages)
    verdict = check(pdf, content, international=international, attachment=attachment)
    about: dict[str, Any] = {
        "page_count": count,
        "message": verdict.code,
        "invalid_pages": list(verdict.pages),
        "recipient_address": None if verdict.address is None else "\n".join(verdict.address.normalised_lines),
    }
    if verdict.code is not None:
        return {**about, "recipient_address": None}, b""
    left, made = _rewritten(pdf, verdict)
    return {**about, "fonts_left_out": left[:20]}, made


def overlay(content: bytes, *, number: int | None) -> Answer:
    """The PDF, or one page of it, with the no-print zones in red."""
    pdf = open_pdf(content)
    if number is not None:
        _keep_page(pdf, number)
    _strip(pdf)
    for index, page in enumerate(pdf.pages):
        add_zones(pdf, page.obj, first=index == 0 and number in (None, 1))
    return {}, saved(pdf)


def page_count(content: bytes) -> Answer:
    """The number of pages."""
    return {"page_count": len(open_pdf(content).pages)}, b""


def page_pdf(content: bytes, *, number: int) -> Answer:
    """One page."""
    pdf = open_pdf(content)
    _keep_page(pdf, number)
    _strip(pdf, keeps_annotations=True)
    return {}, saved(pdf)


def page_png(
    content: bytes, *, number: int, dpi: int = HIDDEN_DPI, hide_notify: bool = False, zones: str | None = None
) -> Answer:
    """A picture of a page. `zones`: draw the no-print zones of a `first` or an `other` page over it.

    0 and negative numbers count from the last page, because clients use them.
    """
    if zones is not None:
        pdf = open_pdf(content)
        if len(pdf.pages) != 1:
            raise UnreadablePdfError("it must have exactly one page")
        add_zones(pdf, pdf.pages[0].obj, first=zones == "first")
        content = saved(pdf, as_it_is=True)
    count = len(open_pdf(content).pages)
    index = number - 1 if number > 0 else count + number - 1
    if not 0 <= index < count:
        raise PageMissingError(number)
    document = measured_copy(content)
    try:
        return {}, _png(document[index], dpi, hide_notify=hide_notify)
    finally:
        document.close()


def _png(page: PdfPage, dpi: int, *, hide_notify: bool) -> bytes:
    width, height = (max(round(points * dpi / 72), 1) for points in page.get_size())
    if width * height > MOST_PIXELS:
        raise UnreadablePdfError("a page is too large for a picture")
    bitmap = PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGRA)
    bitmap.fill_rect((255, 255, 255, 0), 0, 0, width, height)
    flags = pdfium.FPDF_ANNOT | pdfium.FPDF_REVERSE_BYTE_ORDER
    pdfium.FPDF_RenderPageBitmap(bitmap, page, 0, 0, width, height, 0, flags)
    from PIL import Image

    picture = Image.frombytes("RGBA", (width, height), bytes(bitmap.buffer), "raw", "RGBA", bitmap.stride)
    if hide_notify:
        right, bottom = (round(pixels * dpi / HIDDEN_DPI) for pixels in HIDDEN_PIXELS)
        picture.paste((255, 255, 255, 255), (0, 0, right, bottom))
    target = io.BytesIO()
    picture.save(target, "PNG", compress_level=4)
    return target.getvalue()


# -- rewriting


def _rewritten(pdf: Pdf, verdict: Verdict) -> tuple[list[str], bytes]:
    """Names of fonts that could not be embedded, and the file for the printer (contract: letters 4, steps 7 to 9)."""
    _strip(pdf)
    is_letter = verdict.address is not None
    converts = needs_conversion(pdf)
    conversion = Conversion(pdf)
    for index, page in enumerate(pdf.pages):
        is_addressed = is_letter and index == 0
        if not is_addressed and not converts:
            continue
        resources = own_resources(page.obj)
        instructions: Iterable[Instruction] = _instructions(pdf, page.obj, skips_damage=is_addressed)
        if is_addressed:
            resources = shallow_copy(resources)
            page.obj[Name.Resources] = resources
            instructions = Redaction(pdf, SEARCHED.in_points).apply(instructions, resources)
        instructions = balanced(instructions)
        if converts:
            conversion.page(page.obj, instructions)
        else:
            page.obj[Name.Contents] = pdf.make_stream(pikepdf.unparse_content_stream(list(instructions)))
    embeds = is_any_missing(pdf)
    left = embed_fonts(pdf) if embeds else []
    if verdict.address is not None:
        _write(pdf, verdict)
    for page in pdf.pages:
        set_upright(pdf, page.obj)
    return left, saved(pdf, version=VERSION if converts or embeds or is_letter else "")


def _write(pdf: Pdf, verdict: Verdict) -> None:
    """Draw the address and, where it is missing, the tag."""
    assert verdict.address is not None  # noqa: S101
    page, font = pdf.pages[0].obj, EmbeddedFont()
    operators = address_operators(verdict.address.normalised_lines, font)
    if not verdict.has_tag:
        operators += tag_operators(page, font)
    resources = own_resources(page)
    fonts = resources.get(Name.Font)
    named = dict(fonts.items()) if isinstance(fonts, Dictionary) else {}
    resources[Name.Font] = Dictionary({**named, FONT: font.add_to(pdf)})
    add_content(pdf, page, operators)


def _instructions(pdf: Pdf, page: Dictionary, *, skips_damage: bool) -> list[Instruction]:
    """The content of a page. `skips_damage`: leave out unreadable streams, for a page that is rewritten.

    Raises `UnreadablePdfError`.
    """
    pieces = []
    for stream in content_streams(page):
        try:
            piece = stream.read_bytes()
        except pikepdf.PdfError:
            if skips_damage:
                continue
            raise UnreadablePdfError("the content of a page is damaged") from None
        if not piece and not len(stream.read_raw_bytes()) and "/Filter" in stream and not skips_damage:
            raise UnreadablePdfError("the content of a page is no compressed data")
        pieces.append(piece)
    return list(pikepdf.parse_content_stream(pdf.make_stream(b"\n".join(pieces))))


def _strip(pdf: Pdf, *, keeps_annotations: bool = False) -> None:
    """Remove what printing does not need: scripts, forms, attached files, bookmarks, replacement texts."""
    for key in list(pdf.Root.keys()):
        if key not in _KEPT_OF_ROOT:
            del pdf.Root[key]
    for page in pdf.pages:
        dictionary = page.obj
        for key in ("/MediaBox", "/CropBox", "/Rotate", "/Resources"):
            value = inherited(dictionary, key)
            if value is not None:
                dictionary[key] = value
        links = (
            page_annotations.without_actions(dictionary) if keeps_annotations else page_annotations.harmless(dictionary)
        )
        for key in list(dictionary.keys()):
            if key not in _KEPT_OF_PAGE:
                del dictionary[key]
        if links:
            dictionary[Name.Annots] = Array([pdf.make_indirect(link) for link in links])


def _keep_page(pdf: Pdf, number: int) -> None:
    """Remove all pages except one. Raises `PageMissingError`."""
    if not 1 <= number <= len(pdf.pages):
        raise PageMissingError(number)
    del pdf.pages[number:]
    del pdf.pages[: number - 1]
