"""Pages of our own PDFs as pictures."""

from __future__ import annotations

import io
from threading import Lock
from typing import Final

_DPI: Final = 150
_PDFIUM: Final = Lock()
"""The library is not thread-safe. It releases the GIL while it draws."""

_QUICK: Final = 2
"""Compression of PNG: a third larger than the best, in a quarter of the time."""


class PageMissingError(LookupError):
    """A PDF has no page with that number."""


def page_png(pdf: bytes, index: int) -> bytes:
    """The page as PNG with 150 dots per inch, in its own size, with a transparent background (contract: letters 6).
    `index` counts from 0. Raises `PageMissingError`.
    """
    import pypdfium2
    from pypdfium2 import raw

    with _PDFIUM:
        document = pypdfium2.PdfDocument(pdf)
        try:
            if not 0 <= index < len(document):
                raise PageMissingError(index)
            page = document[index]
            width, height = (round(side * _DPI / 72) for side in page.get_size())
            bitmap = pypdfium2.PdfBitmap.new_native(width, height, raw.FPDFBitmap_BGRA)
            bitmap.fill_rect((255, 255, 255, 0), 0, 0, width, height)
            raw.FPDF_RenderPageBitmap(
                bitmap, page, 0, 0, width, height, 0, raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER
            )
            pixels = bytes(bitmap.buffer)
            bitmap.close()
            page.close()
        finally:
            document.close()
    return _png(width, height, pixels)


def _png(width: int, height: int, pixels: bytes) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.frombuffer("RGBA", (width, height), pixels, "raw", "RGBA", 0, 1).save(out, "PNG", compress_level=_QUICK)
    return out.getvalue()
