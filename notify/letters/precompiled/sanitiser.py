"""Checks precompiled PDFs and rewrites them for printing (contract: letters 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import structlog

from notify.infra.container import Container
from notify.letters.precompiled import workers
from notify.letters.precompiled.errors import UnreadablePdfError
from notify.letters.precompiled.failures import UNREADABLE
from notify.letters.precompiled.workers import PdfWorkers

logger = structlog.get_logger(__name__)

NOTED_BYTES: Final = 64 * 1024
"""Growth in bytes that is logged: the font of the address alone needs some."""
LARGE_BYTES: Final = 2 * 1024 * 1024
"""Largest file that the print provider accepts (contract: letters 3.4)."""


@dataclass(frozen=True, slots=True)
class Sanitised:
    """The result for a PDF."""

    pdf: bytes | None
    """The rewritten file if it passed."""
    page_count: int | None
    message: str | None
    """The failure code (`failures`); None if it passed."""
    invalid_pages: tuple[int, ...]
    """The pages that failed, from 1."""
    recipient_address: str | None
    """The lines of the address, joined by newlines; None for an attachment."""


class PdfSanitiser:
    """Checks and rewrites. Any thread may use it."""

    def __init__(self, children: PdfWorkers) -> None:
        self._children = children

    @classmethod
    def build(cls, _container: Container) -> PdfSanitiser:
        """With the child processes of this process."""
        return cls(workers.shared())

    def sanitise(self, pdf: bytes, *, international: bool = False, attachment: bool = False) -> Sanitised:
        """Check a letter, or an attachment of a template, and rewrite it. The result has its errors.

        Raises `BusyError` if too many PDFs are waiting.
        """
        try:
            answer, made = self._children.run("sanitise", pdf, international=international, attachment=attachment)
        except UnreadablePdfError as error:
            logger.warning("a PDF cannot be read", reason=error.reason)
            return Sanitised(None, None, UNREADABLE, (), None)
        if answer["message"] is None:
            _look_at_size(len(pdf), len(made))
            if answer["fonts_left_out"]:
                logger.error("fonts of a PDF could not be embedded", fonts=answer["fonts_left_out"])
        return _sanitised(answer, made)

    def overlay(self, pdf: bytes, page: int | None = None) -> bytes:
        """The PDF with the no-print zones in red on every page. With `page`, only the page of this number (from 1);
        page 1 has the zones of a first page.

        Raises `UnreadablePdfError`, `PageMissingError`, `BusyError`.
        """
        return self._children.run("overlay", pdf, number=page)[1]

    def overlay_png(self, pdf: bytes, *, first_page: bool) -> bytes:
        """A PDF of one page as a picture with the no-print zones in red. Raises `UnreadablePdfError`, `BusyError`."""
        return self._children.run("page-png", pdf, number=1, zones="first" if first_page else "other")[1]


def _sanitised(answer: dict[str, Any], made: bytes) -> Sanitised:
    passed = answer["message"] is None
    return Sanitised(
        pdf=made if passed else None,
        page_count=answer["page_count"],
        message=answer["message"],
        invalid_pages=tuple(answer["invalid_pages"]),
        recipient_address=answer["recipient_address"],
    )


def _look_at_size(before: int, after: int) -> None:
    if after > LARGE_BYTES:
        logger.error("a rewritten PDF is larger than the printer takes", bytes=after, bytes_before=before)
    elif after > 1.5 * before and after - before > NOTED_BYTES:
        logger.warning("a PDF has grown much by being rewritten", bytes=after, bytes_before=before)
