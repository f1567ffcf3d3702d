"""Checks precompiled PDFs and rewrites them for the printer (contract: letters 4)."""

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
"""Growth that is worth a line: the font of the address alone takes some."""
LARGE_BYTES: Final = 2 * 1024 * 1024
"""The printer takes no larger file (contract: letters 3.4)."""


@dataclass(frozen=True, slots=True)
class Sanitised:
    """What became of a PDF."""

    pdf: bytes | None
    """The rewritten file when it passed."""
    page_count: int | None
    message: str | None
    """The failure code (`failures`), None when it passed."""
    invalid_pages: tuple[int, ...]
    """Where it failed, from 1."""
    recipient_address: str | None
    """The lines, joined by newlines; None for an attachment."""


class PdfSanitiser:
    """Checks and rewrites. Any thread may use it."""

    def __init__(self, children: PdfWorkers) -> None:
        self._children = children

    @classmethod
    def build(cls, _container: Container) -> PdfSanitiser:
        """With the child processes of this process."""
        return cls(workers.shared())

    def sanitise(self, pdf: bytes, *, international: bool = False, attachment: bool = False) -> Sanitised:
        """Check a letter, or an attachment of a template, and rewrite it. What is wrong with it is in the answer.

        Raises `BusyError` where too many PDFs are waiting.
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
        """The PDF with the no-print zones in red on every page. With `page`, only the page of this number (from 1), on
        which the zones are those of a first page where it is 1.

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
