"""A cache of previews of letters (contract: letters 6.2).

It is a bucket, with `templated/<sha1>.pdf` for each language of a templated letter and `pngs/<sha1>.png` for each page
of any letter; the newest are also in memory. If the bucket fails, previews are created again.
They contain recipients' addresses, so old ones are deleted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import sha1
from itertools import islice
from threading import Lock
from typing import Final, Self

import structlog
from cachetools import LRUCache

from notify.infra.container import Container
from notify.infra.objects import Bucket, Details, ObjectMissingError
from notify.letters.settings import LetterRenderSettings

KEPT_FOR: Final = timedelta(days=3)
"""Shorter than the retention of letters. A deleted preview is rendered again when needed."""
AT_A_TIME: Final = 500
FOLDERS: Final = ("templated/", "pngs/")
"""Folders of previews. Nothing else in the bucket is deleted, whatever bucket the setting names."""
_KEPT_BYTES: Final = 32 * 2**20
_log = structlog.get_logger(__name__)


class PreviewCache:
    """The bucket of previews, and the newest of them in memory. Thread-safe."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._lock = Lock()
        self._kept: LRUCache[str, bytes] = LRUCache(_KEPT_BYTES, getsizeof=len)

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        name = container.parts.settings.part(LetterRenderSettings).letter_cache_bucket_name
        return cls(container.parts.objects.bucket(name))

    def part(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The PDF of one language of a letter. Raises what `make` raises."""
        return self._cached(f"templated/{key}.pdf", make)

    def picture(self, pdf: bytes, look: str, make: Callable[[], bytes]) -> bytes:
        """A page of a PDF as an image; `look` is the number and the options of rendering. Raises what `make` raises."""
        digest = sha1(pdf, usedforsecurity=False)
        digest.update(look.encode())
        return self._cached(f"pngs/{digest.hexdigest()}.png", make)

    def page(self, pdf: bytes, number: int, *, hide_notify: bool = False) -> bytes:
        """A page of an untrusted PDF as an image. Raises what `notify.letters.pages.page_png` raises."""
        from notify.letters.pages import page_png

        look = f"page {number}{' without tag' if hide_notify else ''}"
        return self.picture(pdf, look, lambda: page_png(pdf, number, hide_notify=hide_notify))

    def delete_old(self, now: datetime) -> int:
        """Delete previews older than `KEPT_FOR`. Returns their number. Safe to run twice, also concurrently."""
        old = (key for key in self._bucket.keys_before(now - KEPT_FOR) if key.startswith(FOLDERS))
        number = 0
        while keys := list(islice(old, AT_A_TIME)):
            self._bucket.delete_many(keys)
            number += len(keys)
        return number

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
