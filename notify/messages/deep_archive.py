"""The oldest hours of the history, moved to files in the object store (contract: workers 14.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple, Protocol, Self
from uuid import UUID, uuid4

import structlog
from psycopg import Connection

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.objects import Bucket, Details
from notify.infra.times import utc_now
from notify.messages.archive_files import COLUMNS, ArchiveFile
from notify.messages.settings import DeepHistorySettings

logger = structlog.get_logger(__name__)

AT_A_TIME: Final = 50_000
HOUR: Final = timedelta(hours=1)
PIECE_BYTES: Final = 8 * 1024 * 1024
CONTENT_TYPE: Final = "application/octet-stream"

# one run at a time
_LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended('notify deep archive', 0))"
_OLDEST: Final = "SELECT min(created_at) FROM notification_history WHERE created_at >= %s AND created_at < %s"
_ROWS: Final = (
    "SELECT " + ", ".join(COLUMNS) + " FROM notification_history"  # noqa: S608 - names of this package
    " WHERE created_at >= %(hour)s AND created_at < %(end)s AND (created_at, id) > (%(after)s, %(after_id)s)"
    " ORDER BY created_at, id LIMIT %(limit)s FOR SHARE"
)
_DELETE: Final = "DELETE FROM notification_history WHERE created_at >= %s AND created_at < %s"


class ArchiveStore(Protocol):
    """Stores files of the archive, with tags."""

    def put(self, key: str, path: Path, tags: dict[str, str]) -> None: ...
    def set_tags(self, key: str, tags: dict[str, str]) -> None: ...


class S3Archive:
    """A bucket of S3, whose tags its life-cycle rules can use."""

    def __init__(self, bucket: str, region: str) -> None:
        import boto3

        self._bucket = bucket
        self._client: Any = boto3.client("s3", region_name=region)

    def put(self, key: str, path: Path, tags: dict[str, str]) -> None:
        """Upload a file."""
        extra = {"ServerSideEncryption": "AES256", "Tagging": "&".join(f"{name}={tags[name]}" for name in tags)}
        self._client.upload_file(str(path), self._bucket, key, ExtraArgs=extra)

    def set_tags(self, key: str, tags: dict[str, str]) -> None:
        """Replace the tags of a file."""
        tag_set = [{"Key": name, "Value": value} for name, value in tags.items()]
        self._client.put_object_tagging(Bucket=self._bucket, Key=key, Tagging={"TagSet": tag_set})


class BucketArchive:
    """A bucket of another store: tags are metadata there."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def put(self, key: str, path: Path, tags: dict[str, str]) -> None:
        """Upload a file."""
        with path.open("rb") as file:
            self._bucket.put(key, iter(lambda: file.read(PIECE_BYTES), b""), Details(tags, CONTENT_TYPE))

    def set_tags(self, key: str, tags: dict[str, str]) -> None:
        """Replace the tags of a file."""
        self._bucket.replace_details(key, Details(tags, CONTENT_TYPE))


class _Hour(NamedTuple):
    """An hour of the history: its start, and its number of rows."""

    begins: datetime
    rows: int


class DeepArchive:
    """Archives hour after hour, the oldest first."""

    def __init__(self, database: Database, store: ArchiveStore, settings: DeepHistorySettings) -> None:
        self._database = database
        self._store = store
        self._settings = settings

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        parts = container.parts
        settings = parts.settings.part(DeepHistorySettings)
        bucket = settings.s3_bucket_notification_deep_history
        if parts.settings.object_store_url.startswith("s3://"):
            return cls(parts.database, S3Archive(bucket, parts.settings.aws_region), settings)
        return cls(parts.database, BucketArchive(parts.objects.bucket(bucket)), settings)

    def run(self, now: datetime) -> int:
        """Archive as many hours as one run may. Returns the number of rows. Raises `RuntimeError` if an hour changed
        meanwhile, which is then not archived.
        """
        before = (now - timedelta(days=self._settings.notification_deep_history_min_age_days)).astimezone(UTC)
        before = before.replace(minute=0, second=0, microsecond=0)
        since, number = datetime.min.replace(tzinfo=UTC), 0
        for _ in range(self._settings.notification_deep_history_max_hours_archived_in_run):
            hour = self._archive_oldest(since, before)
            if hour is None:
                break
            number += hour.rows
            since = hour.begins + HOUR
        return number

    def _archive_oldest(self, since: datetime, before: datetime) -> _Hour | None:
        """Archive one hour, in one transaction. None if there is none left, or another run is in progress."""
        with TemporaryDirectory(prefix="notify-archive-") as folder:
            with self._database.connection() as connection:
                if not _scalar(connection, _LOCK, ()):
                    return None
                oldest = _scalar(connection, _OLDEST, (since, before))
                if oldest is None:
                    return None
                hour = oldest.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
                folder_name = (
                    f"{self._settings.notification_deep_history_prefix}created_at_date_hour={hour:%Y-%m-%dT%H}"
                )
                key = f"{folder_name}/{uuid4()}.orc"
                path = Path(folder) / "hour.orc"
                written = self._write(connection, hour, path)
                self._store.put(key, path, {"contents_deleted": "false"})
                if not self._settings.notification_deep_history_delete_archived:
                    return _Hour(hour, written)
                deleted = connection.execute(_DELETE, (hour, hour + HOUR)).rowcount
                if deleted != written:
                    raise RuntimeError(f"{written} rows of the hour {hour:%Y-%m-%dT%H} archived, {deleted} deleted")
            # a file whose rows are gone from the database
            self._store.set_tags(key, {"contents_deleted": "true", "contents_deleted_at": utc_now().isoformat()})
            return _Hour(hour, written)

    def _write(self, connection: Connection[Any], hour: datetime, path: Path) -> int:
        number = 0
        with ArchiveFile(path) as file:
            for rows in _chunks(connection, hour):
                file.add(rows)
                number += len(rows)
        return number


def _chunks(connection: Connection[Any], hour: datetime) -> Iterator[list[tuple[Any, ...]]]:
    """The rows of an hour, locked until the transaction ends."""
    created_at, id_ = COLUMNS.index("created_at"), COLUMNS.index("id")
    after: tuple[datetime, UUID] = (hour, UUID(int=0))
    while True:
        place = {"hour": hour, "end": hour + HOUR, "after": after[0], "after_id": after[1], "limit": AT_A_TIME}
        rows = connection.execute(_ROWS, place).fetchall()
        if rows:
            yield rows
        if len(rows) < AT_A_TIME:
            return
        after = (rows[-1][created_at], rows[-1][id_])


def _scalar(connection: Connection[Any], query: Any, values: tuple[Any, ...]) -> Any:
    found = connection.execute(query, values).fetchone()
    return found[0] if found else None
