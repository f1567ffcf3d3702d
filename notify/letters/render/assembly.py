"""Assembles pages: adds logos to first pages, joins parts and attachments. Same input, same bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from notify.letters.render.errors import AttachmentError
from notify.letters.render.letter import RenderedLetter

if TYPE_CHECKING:
    from pikepdf import Pdf

_MM: Final = 72 / 25.4
_PAGE_HEIGHT: Final = 297 * _MM
_LOGO_LEFT: Final = 15 * _MM
_LOGO_TOP: Final = 10 * _MM
LOGO_WIDTH: Final = 70 * _MM
LOGO_HEIGHT: Final = 18 * _MM


def with_logo(part: bytes, logo: bytes) -> bytes:
    """The part with the logo on its first page, 18 mm high. A logo that would be wider than 70 mm is 70 mm wide, and
    vertically centred (contract: letters 3.1).
    """
    import pikepdf  # loaded lazily: most processes never use a PDF
    from pikepdf import Name

    with pikepdf.open(io.BytesIO(part)) as pdf, pikepdf.open(io.BytesIO(logo)) as drawing:
        source = drawing.pages[0]
        _, _, width, height = map(float, source.mediabox)
        scale = min(LOGO_HEIGHT / height, LOGO_WIDTH / width)
        bottom = _PAGE_HEIGHT - _LOGO_TOP - (LOGO_HEIGHT + scale * height) / 2
        page = pdf.pages[0]
        name = page.add_resource(pdf.copy_foreign(source.as_form_xobject()), Name.XObject, Name.Logo)
        place = f"q {scale:.6f} 0 0 {scale:.6f} {_LOGO_LEFT:.4f} {bottom:.4f} cm {name} Do Q\n"
        page.contents_add(place.encode(), prepend=True)
        return _saved(pdf)


def joined(parts: Sequence[bytes], attachment: bytes | None) -> RenderedLetter:
    """Parts and attachment as one letter. Raises `AttachmentError`."""
    import pikepdf

    with pikepdf.open(io.BytesIO(parts[0])) as pdf:
        if len(parts) == 1 and attachment is None:
            return RenderedLetter(parts[0], len(pdf.pages))
        for part in parts[1:]:
            with pikepdf.open(io.BytesIO(part)) as other:
                pdf.pages.extend(other.pages)
        if attachment is not None:
            try:
                with pikepdf.open(io.BytesIO(attachment)) as other:
                    pdf.pages.extend(other.pages)
            except pikepdf.PdfError as error:
                raise AttachmentError("The attachment cannot be read") from error
        return RenderedLetter(_saved(pdf), len(pdf.pages))


def page_count(content: bytes) -> int:
    """The number of pages of one of our PDFs."""
    import pikepdf

    with pikepdf.open(io.BytesIO(content)) as pdf:
        return len(pdf.pages)


def _saved(pdf: Pdf) -> bytes:
    from pikepdf import ObjectStreamMode

    out = io.BytesIO()
    pdf.save(out, deterministic_id=True, force_version="1.7", object_stream_mode=ObjectStreamMode.generate)
    return out.getvalue()
