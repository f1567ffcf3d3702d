"""Previews that were made, kept so that they are made once (contract: letters 6.2).

They are in a bucket, `templated/<sha1>.pdf` for each language of a templated letter and `pngs/<sha1>.png` for each page
of any letter, and the newest in memory. All of it can be made again: where the bucket fails, it is.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha1
from threading import Lock
from typing import Final, Self

import structlog
from cachetools import LRUCache

from notify.infra.container import Container
from notify.infra.objects import Bucket, Details, ObjectMissingError
from notify.letters.settings import LetterRenderSettings

_KEPT_BYTES: Final = 32 * 2**20
_log = structlog.get_logger(__name__)


class KeptPreviews:
    """The bucket of previews, and the newest of them in memory. Thread-safe."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._lock = Lock()
        self._kept: LRUCache[str, bytes] = LRUCache(_KEPT_BYTES, getsizeof=len)

    @classmethod
    def build(cls, container: Container) -> Self:
        """With the bucket of the settings."""
        name = container.parts.settings.part(LetterRenderSettings).letter_cache_bucket_name
        return cls(container.parts.objects.bucket(name))

    def part(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The PDF of one language of a letter. Raises what `make` raises."""
        return self._cached(f"templated/{key}.pdf", make)

    def picture(self, pdf: bytes, look: str, make: Callable[[], bytes]) -> bytes:
        """A page of a PDF as a picture; `look` says which, and how it is drawn. Raises what `make` raises."""
        digest = sha1(pdf, usedforsecurity=False)
        digest.update(look.encode())
        return self._cached(f"pngs/{digest.hexdigest()}.png", make)

    def page(self, pdf: bytes, number: int, *, hide_notify: bool = False) -> bytes:
        """A page of anybody's PDF as a picture. Raises as `notify.letters.pages.page_png`, which draws it."""
        from notify.letters.pages import page_png

        look = f"page {number}{' without tag' if hide_notify else ''}"
        return self.picture(pdf, look, lambda: page_png(pdf, number, hide_notify=hide_notify))

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
