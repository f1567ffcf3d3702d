"""The pages of letters as pictures, from the PDFs for the print provider."""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Lock
from typing import Final, Self, TypeVar

import structlog
from cachetools import TTLCache

from notify.infra.container import Container
from notify.infra.errors import BusyError
from notify.letters.files import LetterFiles, LetterMissingError, LetterRow
from notify.letters.precompiled.failures import failure_text
from notify.messages.queries import StoredMessage

logger = structlog.get_logger(__name__)

Found = TypeVar("Found")

KEPT_SECONDS: Final = 60
KEPT: Final = 200
DPI: Final = 110


class LetterPages:
    """Reads the PDFs of letters. The PDF library is loaded at the first letter."""

    def __init__(self, files: LetterFiles) -> None:
        self._files = files
        self._counts: TTLCache[tuple[str, str], int] = TTLCache(KEPT, KEPT_SECONDS)
        self._lock = Lock()

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.get(LetterFiles))

    def count(self, message: StoredMessage) -> int:
        """The number of pages of a letter; 0 if there is no readable PDF."""
        key = (str(message.id), message.status)
        with self._lock:
            known = self._counts.get(key)
        if known is not None:
            return known
        pdf = self.pdf(message)
        if pdf is None:
            return 0
        from notify.letters.pages import UnreadablePdfError, page_count

        try:
            number = page_count(pdf)
        except BusyError:
            return 0
        except UnreadablePdfError:
            number = 0
        with self._lock:
            self._counts[key] = number
        return number

    def pdf(self, message: StoredMessage) -> bytes | None:
        """The PDF of a letter, if there is one."""
        return self._stored(message, self._files.read)

    def has_pdf(self, message: StoredMessage) -> bool:
        """Whether there is a PDF of a letter, even if it cannot be read."""
        return self._stored(message, self._files.find) is not None

    def failure(self, message: StoredMessage) -> dict[str, str] | None:
        """Why a letter failed its checks: `title` and `detail`, as the admin app has them. None if it passed."""
        if message.status != "validation-failed":
            return None
        known = self._stored(message, self._files.metadata) or {}
        try:
            pages = json.loads(known.get("invalid_pages") or "[]")
            text = failure_text(known.get("message"), pages, int(known.get("page_count") or 0))
        except ValueError:
            text = failure_text(known.get("message"))
        return {"title": f"{text.title}.", "detail": text.detail}

    def _stored(self, message: StoredMessage, look: Callable[[LetterRow], Found]) -> Found | None:
        if message.notification_type != "letter":
            return None
        row = LetterRow(message.reference, message.postage, message.created_at, message.key_type, message.status)
        try:
            return look(row)
        except LetterMissingError:
            return None
        except Exception as error:  # any error of the store: the page shows the text instead
            logger.warning("PDF of a letter not read", id=message.id, error=type(error).__name__)
            return None

    def picture(self, message: StoredMessage, number: int) -> bytes | None:
        """A page, counted from 1, as a PNG with a transparent background. None if there is no such page."""
        pdf = self.pdf(message)
        if pdf is None:
            return None
        from notify.letters.pages import PageMissingError, UnreadablePdfError, page_png

        try:
            return page_png(pdf, number, dpi=DPI)
        except (PageMissingError, UnreadablePdfError):
            return None
