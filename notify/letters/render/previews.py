"""Previews of templated letters: as a PDF, one page as a picture, the number of pages (contract: letters 6).

Results are cached in a bucket, `templated/<sha1>.pdf` for each language of a letter and `pngs/<sha1>.png` for each
page, and the newest in memory. If the bucket fails, they are made again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1
from threading import Lock
from typing import Final, Self

import structlog
from cachetools import LRUCache

from notify.infra.container import Container
from notify.infra.objects import Bucket, Details, ObjectMissingError
from notify.letters.render.assembly import joined, page_count
from notify.letters.render.letter import Letter, RenderedLetter
from notify.letters.render.pictures import PageMissingError, page_png
from notify.letters.render.renderer import LetterRenderer
from notify.letters.settings import LetterRenderSettings

_KEPT_BYTES: Final = 32 * 2**20
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PageCounts:
    """The numbers of pages of a letter's languages, without its attachment."""

    welsh: int
    english: int


class LetterPreviews:
    """Makes previews. Thread-safe."""

    def __init__(self, renderer: LetterRenderer, bucket: Bucket) -> None:
        self._renderer = renderer
        self._bucket = bucket
        self._lock = Lock()
        self._kept: LRUCache[str, bytes] = LRUCache(_KEPT_BYTES, getsizeof=len)

    @classmethod
    def build(cls, container: Container) -> Self:
        """With the bucket of the settings."""
        name = container.parts.settings.part(LetterRenderSettings).letter_cache_bucket_name
        return cls(container.get(LetterRenderer), container.parts.objects.bucket(name))

    def pdf(self, letter: Letter) -> RenderedLetter:
        """The whole letter. Raises `LetterRenderError`."""
        return joined(self._parts(letter), letter.attachment)

    def page_counts(self, letter: Letter) -> PageCounts:
        """The numbers of pages. Raises `LetterRenderError`."""
        *welsh, english = map(page_count, self._parts(letter))
        return PageCounts(sum(welsh), english)

    def png(self, letter: Letter, page: int) -> bytes:
        """One page of the whole letter, counted from 1; 0 is the last page, -1 the one before it. Raises
        `LetterRenderError`, `PageMissingError`.
        """
        documents = [*self._parts(letter), *([letter.attachment] if letter.attachment else [])]
        places = [(document, index) for document in documents for index in range(page_count(document))]
        try:
            document, index = places[page - 1]
        except IndexError:
            raise PageMissingError(page) from None
        return self._picture(document, index)

    def _picture(self, pdf: bytes, index: int) -> bytes:
        digest = sha1(pdf + b"%d" % index, usedforsecurity=False).hexdigest()
        return self._cached(f"pngs/{digest}.png", lambda: page_png(pdf, index))

    def _parts(self, letter: Letter) -> list[bytes]:
        return [
            self._cached(f"templated/{part.key}.pdf", lambda part=part: self._renderer.lay_out(part))  # type: ignore[misc]
            for part in self._renderer.parts(letter, "preview")
        ]

    def _cached(self, key: str, make: Callable[[], bytes]) -> bytes:
        with self._lock:
            found = self._kept.get(key)
        if found is not None:
            return found
        made = self._stored(key)
        if made is None:
            made = make()
            self._store(key, made)
        with self._lock:
            if len(made) <= _KEPT_BYTES:
                self._kept[key] = made
        return made

    def _stored(self, key: str) -> bytes | None:
        try:
            return self._bucket.get(key)
        except ObjectMissingError:
            return None
        except Exception:
            _log.warning("preview_cache_not_read", exc_info=True)
            return None

    def _store(self, key: str, content: bytes) -> None:
        try:
            self._bucket.put(key, content, Details())
        except Exception:
            _log.warning("preview_cache_not_written", exc_info=True)
