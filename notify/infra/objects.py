"""Files: one interface over a local folder, S3, GCS or Azure (`obstore`)."""

from __future__ import annotations

import hashlib
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from obstore import Attributes
    from obstore.store import ObjectStore

BUCKETS: Final = "buckets"
DETAILS: Final = "bucket-details"
_OWN_BUCKETS: Final = ("s3", "s3a", "gs", "az", "abfs", "abfss", "azure")
"""URL schemes of stores that have buckets themselves."""


_BUCKET_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]", re.ASCII)


def is_bucket_name(name: str) -> bool:
    """Whether S3 accepts this name of a bucket."""
    return _BUCKET_NAME.fullmatch(name) is not None


class ObjectMissingError(Exception):
    """There is no object with that key."""


class InvalidKeyError(Exception):
    """The store cannot hold an object with that key."""


@dataclass(frozen=True, slots=True)
class Details:
    """The metadata of an object. Names in `metadata` are in lower case."""

    metadata: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """An object without its content. `size` is in bytes."""

    size: int
    etag: str
    modified: datetime
    details: Details


class Objects:
    """An object store. Keys are paths with `/` between their parts."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = RLock()
        self._buckets: dict[str, Bucket] = {}
        self._opened = _opened_once(self._open_store)

    @property
    def _store(self) -> ObjectStore:
        return self._opened()

    def _open_store(self) -> ObjectStore:
        from obstore.store import LocalStore, from_url

        if not self._url.startswith("file://"):
            return from_url(self._url)
        folder = Path(self._url.removeprefix("file://"))
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return LocalStore(folder, mkdir=True)

    def put(self, key: str, content: bytes | Iterable[bytes]) -> None:
        """Store `content` under `key`, replacing an older object. It is stored completely when this returns. Content in
        pieces is never in memory as a whole.
        """
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

    def bucket(self, name: str) -> Bucket:
        """A separate bucket, which the admin app uses too (contract: admin-app 2.1): a real one if the store is S3, GCS
        or Azure, else a folder that is created at its first use.
        """
        with self._lock:
            if name not in self._buckets:
                self._buckets[name] = self._open(name)
            return self._buckets[name]

    def _open(self, name: str) -> Bucket:
        scheme = self._url.partition("://")[0]
        if scheme not in _OWN_BUCKETS:
            return _FolderBucket(self._opened, name)

        def open_bucket() -> ObjectStore:
            from obstore.store import from_url

            return from_url(f"{scheme}://{name}")

        return _CloudBucket(_opened_once(open_bucket))


def _opened_once(open_store: Callable[[], ObjectStore]) -> Callable[[], ObjectStore]:
    """Opens a store at its first use, and then gives the same one. Most processes never touch a file: they do not load
    the library.
    """
    lock = RLock()
    opened: list[ObjectStore] = []

    def store() -> ObjectStore:
        if not opened:
            with lock:
                if not opened:
                    opened.append(open_store())
        return opened[0]

    return store


_BAD_PATHS: Final = ("Is a directory", "Not a directory", "File name too long")


@contextmanager
def _refusing(key: str, problem: type[Exception]) -> Iterator[None]:
    """Raise `problem` if the store refuses the key itself."""
    try:
        yield
    except ValueError:  # the key has empty parts, `.` or `..`
        raise problem(key) from None
    except Exception as error:
        if any(words in str(error) for words in _BAD_PATHS):
            raise problem(key) from None
        raise


class Bucket(ABC):
    """Objects with metadata. Every method may raise the store's own errors if it is unreachable."""

    def __init__(self, store: Callable[[], ObjectStore]) -> None:
        self._opened = store

    @property
    def _store(self) -> ObjectStore:
        return self._opened()

    def _path(self, key: str) -> str:
        return key

    @abstractmethod
    def put(self, key: str, content: bytes | Iterable[bytes], details: Details | None = None) -> str:
        """Store an object, replacing an older one and its details; returns its ETag. Content in pieces is uploaded in
        parts; an error while they are made leaves nothing behind. Raises `InvalidKeyError`.
        """

    @abstractmethod
    def info(self, key: str) -> ObjectInfo:
        """Size, ETag and details of an object. Raises `ObjectMissingError`."""

    @abstractmethod
    def replace_details(self, key: str, details: Details) -> str:
        """Replace the details and keep the content; returns the ETag. Raises `ObjectMissingError`."""

    def get(self, key: str) -> bytes:
        """The whole content. Raises `ObjectMissingError`."""
        return b"".join(self.pieces(key))

    def pieces(self, key: str) -> Iterator[bytes]:
        """The content in pieces. Raises `ObjectMissingError` at once, not while iterated."""
        try:
            with _refusing(key, ObjectMissingError):
                found = self._store.get(self._path(key))
        except FileNotFoundError:
            raise ObjectMissingError(key) from None
        return (bytes(piece) for piece in found.stream())

    @abstractmethod
    def first_key(self, start: str) -> str | None:
        """The first key that begins with `start` and is longer. What is before the last `/` in `start` is a folder."""

    def keys(self, folder: str = "") -> Iterator[str]:
        """The keys below a folder, empty for the whole bucket, in no defined order."""
        yield from self._list(folder, None)

    def keys_before(self, moment: datetime) -> Iterator[str]:
        """The keys of objects that were last written before a moment (aware), in no defined order."""
        start = len(self._path(""))
        for page in self._store.list(prefix=self._path("").rstrip("/") or None):
            for entry in page:
                if entry["last_modified"] < moment:
                    yield entry["path"][start:]

    def _list(self, folder: str, after: str | None) -> Iterator[str]:
        """The keys below a folder that sort after `after`: a cloud store has them in order."""
        start = len(self._path(""))
        offset = None if after is None else self._path(after)
        for page in self._store.list(prefix=self._path(folder).rstrip("/") or None, offset=offset):
            for entry in page:
                yield entry["path"][start:]

    def folders(self) -> list[str]:
        """The folders at the top of the bucket, each without its `/`, in order."""
        start = len(self._path(""))
        found = self._store.list_with_delimiter(self._path("").rstrip("/") or None)
        return sorted(str(prefix)[start:].rstrip("/") for prefix in found["common_prefixes"])

    def delete(self, key: str) -> None:
        """Delete the object, if there is one."""
        try:
            self._store.delete(self._path(key))
        except FileNotFoundError:
            return

    def delete_many(self, keys: Sequence[str]) -> None:
        """Delete those of these objects that exist; many at a time if the store can."""
        for key in keys:
            self.delete(key)


class _CloudBucket(Bucket):
    """A bucket of a store that keeps metadata itself."""

    def put(self, key: str, content: bytes | Iterable[bytes], details: Details | None = None) -> str:
        details = details or Details()
        attributes: Attributes = {**details.metadata}
        if details.content_type:
            attributes["Content-Type"] = details.content_type
        result = self._store.put(key, content, attributes=attributes)
        return str(result.get("e_tag") or "").strip('"')

    def delete_many(self, keys: Sequence[str]) -> None:
        if keys:
            self._store.delete(list(keys))  # cloud stores ignore missing objects

    def replace_details(self, key: str, details: Details) -> str:
        return self.put(key, self.get(key), details)  # read it all first: it cannot be read while it is replaced

    def first_key(self, start: str) -> str | None:
        # `obstore` only takes whole folders as prefixes; the store itself skips keys before `start`
        key = next(self._list(start.rpartition("/")[0], start), None)
        return key if key is not None and key.startswith(start) else None

    def info(self, key: str) -> ObjectInfo:
        import obstore

        try:
            found = obstore.get(self._store, key, options={"head": True})
        except FileNotFoundError:
            raise ObjectMissingError(key) from None
        known = dict(found.attributes)
        content_type = known.pop("Content-Type", None)
        metadata = {name.lower(): str(value) for name, value in known.items() if name == name.lower()}
        meta = found.meta
        etag = str(meta["e_tag"] or "").strip('"')
        return ObjectInfo(meta["size"], etag, meta["last_modified"], Details(metadata, content_type))


class _FolderBucket(Bucket):
    """A folder of a store without metadata, which is kept in a second object next to each."""

    def __init__(self, store: Callable[[], ObjectStore], name: str) -> None:
        super().__init__(store)
        self._name = name

    def _path(self, key: str) -> str:
        return f"{BUCKETS}/{self._name}/{key}"

    def _details_path(self, key: str) -> str:
        return f"{DETAILS}/{self._name}/{key}.json"

    def put(self, key: str, content: bytes | Iterable[bytes], details: Details | None = None) -> str:
        measure = _Measure([content] if isinstance(content, bytes) else content)
        with _refusing(key, InvalidKeyError):
            self._store.put(self._path(key), content if isinstance(content, bytes) else measure)
        if isinstance(content, bytes):
            measure.take(content)
        self._write_details(key, measure.size, measure.etag, details or Details())
        return measure.etag

    def replace_details(self, key: str, details: Details) -> str:
        info = self.info(key)
        self._write_details(key, info.size, info.etag, details)
        return info.etag

    def first_key(self, start: str) -> str | None:
        return min((key for key in self._list(start.rpartition("/")[0], start) if key.startswith(start)), default=None)

    def _write_details(self, key: str, size: int, etag: str, details: Details) -> None:
        known = {"size": size, "etag": etag, **asdict(details)}
        self._store.put(self._details_path(key), json.dumps(known).encode())

    def info(self, key: str) -> ObjectInfo:
        try:
            with _refusing(key, ObjectMissingError):
                meta = self._store.head(self._path(key))
        except FileNotFoundError:
            raise ObjectMissingError(key) from None
        known = self._read_details(key)
        # a process that was killed between the two writes has left the details of the older object
        etag = known["etag"] if known.get("size") == meta["size"] else str(meta["e_tag"] or "").strip('"')
        details = Details(known.get("metadata", {}), known.get("content_type"), known.get("tags", {}))
        return ObjectInfo(meta["size"], etag, meta["last_modified"].astimezone(UTC), details)

    def _read_details(self, key: str) -> dict[str, Any]:
        try:
            known: dict[str, Any] = json.loads(bytes(self._store.get(self._details_path(key)).bytes()))
        except FileNotFoundError:
            return {}
        return known

    def delete(self, key: str) -> None:
        super().delete(key)
        try:
            self._store.delete(self._details_path(key))
        except FileNotFoundError:
            return


class _Measure:
    """Passes pieces on, and computes their size and MD5, which is S3's ETag."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self._hash = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def take(self, piece: bytes) -> bytes:
        """Count a piece."""
        self.size += len(piece)
        self._hash.update(piece)
        return piece

    @property
    def etag(self) -> str:
        """The hash of all pieces so far."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[bytes]:
        return map(self.take, self._pieces)
