"""Pages of PDFs: their number, one page as a PDF, one page as a picture.

The PDFs are untrusted: child processes read them (`notify.letters.precompiled`).
"""

from __future__ import annotations

from notify.letters.precompiled import workers
from notify.letters.precompiled.errors import PageMissingError, UnreadablePdfError

__all__ = ["PageMissingError", "UnreadablePdfError", "page_count", "page_pdf", "page_png"]


def page_count(pdf: bytes) -> int:
    """The number of pages. Raises `UnreadablePdfError`, `BusyError`."""
    answer, _ = workers.shared().run("page-count", pdf)
    return int(answer["page_count"])


def page_pdf(pdf: bytes, number: int) -> bytes:
    """A PDF of one page, counted from 1. Raises `UnreadablePdfError`, `PageMissingError`, `BusyError`."""
    return workers.shared().run("page-pdf", pdf, number=number)[1]


def page_png(pdf: bytes, number: int, *, dpi: int = 150, hide_notify: bool = False) -> bytes:
    """A picture of one page, counted from 1, in its own size and rotation, with a transparent background (contract:
    letters 6). `hide_notify` covers the place of the tag, 130 x 50 pixels at 150 dpi, with white.

    Raises `UnreadablePdfError`, `PageMissingError`, `BusyError`.
    """
    return workers.shared().run("page-png", pdf, number=number, dpi=dpi, hide_notify=hide_notify)[1]
