"""Files: one interface over a local folder, S3, GCS or Azure (`obstore`)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from obstore.store import ObjectStore


class ObjectMissingError(Exception):
    """There is no object with that key."""


class Objects:
    """An object store. Keys are paths with `/` between their parts."""

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _store(self) -> ObjectStore:
        # most processes never touch a file: they do not load the library
        from obstore.store import LocalStore, from_url

        if not self._url.startswith("file://"):
            return from_url(self._url)
        folder = Path(self._url.removeprefix("file://"))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return LocalStore(folder, mkdir=True)

    def put(self, key: str, content: bytes) -> None:
        """Store `content` under `key`, in place of an older object. It is stored completely when this returns."""
        self._store.put(key, content)

    def get(self, key: str) -> bytes:
        """The content under `key`. Raises `ObjectMissingError`."""
        try:
            return bytes(self._store.get(key).bytes())
        except FileNotFoundError:
            raise ObjectMissingError(key) from None

    def delete(self, key: str) -> None:
        """Delete the object, if there is one."""
        try:
            self._store.delete(key)
        except FileNotFoundError:
            return

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys below the folder `prefix`, in no defined order."""
        for page in self._store.list(prefix=prefix):
            for entry in page:
                yield entry["path"]
