"""Annotations: whether they are visible, and which may stay (contract: letters 4, step 4). Child processes only."""

from __future__ import annotations

from typing import Any, Final

import pikepdf
import pypdfium2.raw as pdfium
from pikepdf import Name
from pypdfium2 import PdfBitmap

from notify.letters.precompiled.reading import media_box, opened_by_pdfium, saved

_HIDDEN: Final = 2
_NO_VIEW: Final = 32
_MOST_ANNOTATIONS: Final = 2000
_LOOK: Final = ("/Rect", "/F", "/AP", "/AS", "/C")
_PIXELS: Final = 1.0
"""Pixels per point for drawing appearances."""


def is_any_visible(pdf: pikepdf.Pdf, page: pikepdf.Dictionary) -> bool:
    """Whether an annotation of the page is visible. One that only reacts to the mouse is not."""
    found = page.get(Name.Annots)
    if not isinstance(found, pikepdf.Array) or not len(found):
        return False
    if len(found) > _MOST_ANNOTATIONS:
        return True
    drawn = []
    for annotation in found:
        if not isinstance(annotation, pikepdf.Dictionary) or _is_hidden(annotation):
            continue
        if _has_appearance(annotation):
            drawn.append(annotation)
        elif _shows_by_itself(annotation):
            return True
    return bool(drawn) and _draw_anything(pdf, page, drawn)


def harmless(page: pikepdf.Dictionary) -> list[pikepdf.Dictionary]:
    """Links to web addresses, without other actions. They may stay: viewers can use them, and they do not print."""
    kept = []
    found = page.get(Name.Annots)
    for annotation in found if isinstance(found, pikepdf.Array) and len(found) <= _MOST_ANNOTATIONS else ():
        action = annotation.get(Name.A) if isinstance(annotation, pikepdf.Dictionary) else None
        if isinstance(action, pikepdf.Dictionary) and action.get(Name.S) == Name.URI and Name.URI in action:
            link = {"/Type": Name.Annot, "/Subtype": Name.Link, "/Rect": annotation.get(Name.Rect)}
            uri = pikepdf.String(str(action[Name.URI]))
            target = pikepdf.Dictionary({"/S": Name.URI, "/URI": uri})
            kept.append(pikepdf.Dictionary({**link, "/Border": pikepdf.Array([0, 0, 0]), "/A": target}))
    return kept


def without_actions(page: pikepdf.Dictionary) -> list[pikepdf.Dictionary]:
    """The annotations' appearances without their actions."""
    found = page.get(Name.Annots)
    each = found if isinstance(found, pikepdf.Array) and len(found) <= _MOST_ANNOTATIONS else ()
    kept = (*_LOOK, "/Subtype", "/Border", "/BS", "/MK", "/FT")
    return [
        pikepdf.Dictionary({key: annotation[key] for key in kept if key in annotation})
        for annotation in each
        if isinstance(annotation, pikepdf.Dictionary)
    ]


def _is_hidden(annotation: pikepdf.Dictionary) -> bool:
    flags: Any = annotation.get(Name.F, 0)
    return isinstance(flags, int) and bool(flags & (_HIDDEN | _NO_VIEW))


def _has_appearance(annotation: pikepdf.Dictionary) -> bool:
    appearance = annotation.get(Name.AP)
    return isinstance(appearance, pikepdf.Dictionary) and Name.N in appearance


def _shows_by_itself(annotation: pikepdf.Dictionary) -> bool:
    """Whether a viewer draws an annotation without an appearance."""
    subtype = annotation.get(Name.Subtype)
    if subtype == Name.Popup or not _has_size(annotation):
        return False
    if subtype == Name.Link:
        return _border_width(annotation) > 0
    if subtype == Name.Widget:
        look: Any = annotation.get("/MK", {})
        return bool(annotation.get("/V")) or any(key in look for key in ("/BC", "/BG", "/CA"))
    return True


def _has_size(annotation: pikepdf.Dictionary) -> bool:
    try:
        x, y, x2, y2 = (float(number) for number in annotation[Name.Rect])
    except (KeyError, TypeError, ValueError):
        return False
    return x != x2 and y != y2


def _border_width(annotation: pikepdf.Dictionary) -> float:
    """The requested border. If none is named, the viewers that we tested draw none."""
    border, style = annotation.get("/Border"), annotation.get("/BS")
    try:
        if isinstance(style, pikepdf.Dictionary):
            return float(style.get("/W", 1))
        if isinstance(border, pikepdf.Array):
            return float(border[2]) if len(border) > 2 else 1.0
    except (TypeError, ValueError):
        return 1.0
    return 0.0


def _draw_anything(pdf: pikepdf.Pdf, page: pikepdf.Dictionary, drawn: list[pikepdf.Dictionary]) -> bool:
    """Whether the appearances, drawn on an empty page, leave a pixel that is not white."""
    sheet = pikepdf.new()
    box = media_box(page)
    width, height = round((box.x2 - box.x) * _PIXELS) or 1, round((box.y2 - box.y) * _PIXELS) or 1
    sheet.add_blank_page(page_size=(max(box.x2 - box.x, 3), max(box.y2 - box.y, 3)))
    target = sheet.pages[0].obj
    target[Name.MediaBox] = pikepdf.Array(list(box))
    target[Name.Annots] = pikepdf.Array([sheet.copy_foreign(_look(pdf, annotation)) for annotation in drawn])
    document = opened_by_pdfium(saved(sheet, as_it_is=True))
    bitmap = PdfBitmap.new_native(width, height, pdfium.FPDFBitmap_BGRx)
    bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
    pdfium.FPDF_RenderPageBitmap(bitmap, document[0], 0, 0, width, height, 0, pdfium.FPDF_ANNOT)
    pixels = bytes(bitmap.buffer)
    document.close()
    return any(colour.count(b"\xff") != len(colour) for colour in (pixels[0::4], pixels[1::4], pixels[2::4]))


def _look(pdf: pikepdf.Pdf, annotation: pikepdf.Dictionary) -> pikepdf.Object:
    """The entries of an annotation that determine its appearance, without its page and form."""
    look = {key: annotation[key] for key in _LOOK if key in annotation}
    # form fields are only drawn in a form, stamps always
    return pdf.make_indirect(pikepdf.Dictionary({**look, "/Subtype": Name.Stamp}))
