"""Files: one interface over a local folder, S3, GCS or Azure (`obstore`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import obstore
from obstore.exceptions import NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url


class ObjectMissingError(Exception):
    """There is no object by that key."""


class Objects:
    """An object store. Keys are paths with `/` between their parts."""

    def __init__(self, url: str) -> None:
        self._store: ObjectStore
        if url.startswith("file://"):
            folder = Path(url.removeprefix("file://"))
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._store = LocalStore(folder, mkdir=True)
        else:
            self._store = from_url(url)

    def put(self, key: str, content: bytes) -> None:
        """Keep `content` under `key`, replacing what was there. It is there, whole, when this returns."""
        obstore.put(self._store, key, content)

    def get(self, key: str) -> bytes:
        """The content under `key`. Raises `ObjectMissingError`."""
        try:
            return bytes(obstore.get(self._store, key).bytes())
        except (NotFoundError, FileNotFoundError):
            raise ObjectMissingError(key) from None

    def delete(self, key: str) -> None:
        """Forget the object; fine if there is none."""
        try:
            obstore.delete(self._store, key)
        except (NotFoundError, FileNotFoundError):
            return

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys below the folder `prefix`, in no defined order."""
        for page in obstore.list(self._store, prefix=prefix):
            for entry in page:
                yield entry["path"]
