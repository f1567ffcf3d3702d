"""Converts our own pages to the colours of a printer (contract: letters 3.4)."""

from __future__ import annotations

import io
from threading import Lock
from typing import Final

_RGB_PROFILE: Final = b"/N 3"
"""Part of the colour profile that Typst writes if any colour is RGB."""
_CONVERTING: Final = Lock()
"""The conversion uses pdfium for colours of gradients, which is not thread-safe."""


def has_rgb(pdf: bytes) -> bool:
    """Whether a PDF of Typst may use RGB. Text of a letter never does, but colour fonts (emoji) and logos may."""
    return _RGB_PROFILE in pdf


def to_cmyk(content: bytes) -> bytes:
    """The same pages in CMYK."""
    import pikepdf

    from notify.letters.precompiled.colours import Conversion

    out = io.BytesIO()
    with _CONVERTING, pikepdf.open(io.BytesIO(content)) as pdf:
        conversion = Conversion(pdf)
        for page in pdf.pages:
            conversion.page(page.obj, pikepdf.parse_content_stream(page))
        pdf.save(out, deterministic_id=True, force_version="1.7")
    return out.getvalue()
