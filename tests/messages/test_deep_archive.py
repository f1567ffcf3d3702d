"""The deep archive: rows are deleted from the database only once they are completely in files."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.messages import deep_archive, tasks
from notify.messages.archive_files import COLUMNS, UUIDS
from notify.messages.deep_archive import DeepArchive, S3Archive
from notify.messages.settings import DeepHistorySettings
from tests.api import with_settings

pytest.importorskip("pyarrow")

NOW = datetime(2026, 11, 27, 1, 35, tzinfo=UTC)
YEAR = timedelta(days=365)
BUCKET = "deep-history"
_ADD = """
INSERT INTO notification_history (id, service_id, template_id, template_version, key_type, notification_type,
                                  created_at, sent_at, reference, client_reference, rate_multiplier, job_row_number)
VALUES (%s, %s, %s, 2, 'team', 'sms', %s, NULL, 'ref', 'Ä', 4.5, 7)
"""


class Files:
    """The archive's files, in memory, with their tags at the time of each change."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self.content: dict[str, bytes] = {}
        self.tags: list[tuple[str, dict[str, str]]] = []
        self._then = then

    def put(self, key: str, path: Any, tags: dict[str, str]) -> None:
        self.content[key] = path.read_bytes()
        self.tags.append((key, tags))
        self._then()

    def set_tags(self, key: str, tags: dict[str, str]) -> None:
        self.tags.append((key, tags))


def add(parts: Parts, *moments: datetime) -> list[UUID]:
    ids = [new_id() for _ in moments]
    with parts.database.connection() as connection:
        for id_, moment in zip(ids, moments, strict=True):
            connection.execute(_ADD, (id_, new_id(), new_id(), moment))
    return ids


def left(parts: Parts) -> set[UUID]:
    with parts.database.connection() as connection:
        return {row[0] for row in connection.execute("SELECT id FROM notification_history").fetchall()}


def rows(content: bytes) -> list[dict[str, Any]]:
    from importlib import import_module

    found: list[dict[str, Any]] = import_module("pyarrow.orc").ORCFile(io.BytesIO(content)).read().to_pylist()
    return found


def archive(parts: Parts, store: Any, **options: Any) -> DeepArchive:
    settings = with_settings(parts, **options).settings.part(DeepHistorySettings)
    return DeepArchive(parts.database, store, settings)


def test_hours_go_into_files_of_their_own(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deep_archive, "AT_A_TIME", 2)
    first, last = datetime(2024, 3, 1, 7, 0, tzinfo=UTC), NOW.replace(minute=0) - YEAR
    old = add(parts, first, first, first + timedelta(minutes=59, seconds=59), first + timedelta(minutes=1), first)
    other = add(parts, first + timedelta(hours=1))
    edge = add(parts, last - timedelta(microseconds=1))
    young = add(parts, last, NOW)
    files = Files()
    assert archive(parts, files, notification_deep_history_prefix="p/").run(NOW) == 7
    assert left(parts) == set(young)
    folders = [key.rpartition("/")[0] for key in files.content]
    assert folders == [
        "p/created_at_date_hour=2024-03-01T07",
        "p/created_at_date_hour=2024-03-01T08",
        "p/created_at_date_hour=2025-11-27T00",
    ]
    found = [[UUID(bytes=row["id"]) for row in rows(content)] for content in files.content.values()]
    assert [set(ids) for ids in found] == [set(old), set(other), set(edge)]
    assert [len(ids) for ids in found] == [5, 1, 1]
    (row,) = rows(list(files.content.values())[1])
    assert tuple(row) == COLUMNS
    assert all(len(row[name]) == 16 for name in UUIDS if row[name] is not None)
    assert (row["client_reference"], row["rate_multiplier"], row["sent_at"]) == ("Ä", Decimal("4.5"), None)
    assert (row["created_at"], row["notification_type"], row["job_row_number"]) == (
        first + timedelta(hours=1),
        "sms",
        7,
    )
    assert [tags["contents_deleted"] for _, tags in files.tags] == ["false", "true"] * 3
    assert archive(parts, files).run(NOW) == 0


def test_a_run_has_a_limit(parts: Parts) -> None:
    add(parts, *(datetime(2024, 3, 1, hour, tzinfo=UTC) for hour in range(5)))
    files = Files()
    assert archive(parts, files, notification_deep_history_max_hours_archived_in_run=2).run(NOW) == 2
    assert len(left(parts)) == 3


def test_rows_may_stay(parts: Parts) -> None:
    ids = add(parts, *(datetime(2024, 3, 1, hour, tzinfo=UTC) for hour in range(3)))
    files = Files()
    assert archive(parts, files, notification_deep_history_delete_archived=False).run(NOW) == 3
    assert left(parts) == set(ids)
    assert [tags for _, tags in files.tags] == [{"contents_deleted": "false"}] * 3


def test_nothing_is_deleted_that_is_not_in_the_file(own_parts: Parts) -> None:
    """Somebody adds a row to the hour after it was read: then the hour stays."""
    moment = datetime(2024, 3, 1, 7, 30, tzinfo=UTC)
    add(own_parts, moment)
    files = Files(then=lambda: add(own_parts, moment))
    with pytest.raises(RuntimeError, match="1 rows of the hour 2024-03-01T07 archived, 2 deleted"):
        archive(own_parts, files).run(NOW)
    assert len(left(own_parts)) == 2


def test_an_upload_that_fails_leaves_the_rows(parts: Parts) -> None:
    ids = add(parts, datetime(2024, 3, 1, 7, 30, tzinfo=UTC))

    class Broken(Files):
        def put(self, key: str, path: Any, tags: dict[str, str]) -> None:
            raise OSError("away")

    with pytest.raises(OSError, match="away"):
        archive(parts, Broken()).run(NOW)
    assert left(parts) == set(ids)


def test_the_task_archives_where_a_bucket_is_named(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notify.messages.tasks.utc_now", lambda: NOW)
    ids = add(parts, datetime(2024, 3, 1, 7, 30, tzinfo=UTC))
    tasks.deep_archive_notification_history(Container(parts))
    assert left(parts) == set(ids)
    named = with_settings(parts, s3_bucket_notification_deep_history=BUCKET)
    bucket = named.objects.bucket(BUCKET)
    stored: list[str] = []
    put = type(bucket).put

    def note(self: Any, key: str, *rest: Any) -> str:
        stored.append(key)
        return put(self, key, *rest)

    monkeypatch.setattr(type(bucket), "put", note)
    tasks.deep_archive_notification_history(Container(named))
    assert left(parts) == set()
    assert [UUID(bytes=row["id"]) for row in rows(bucket.get(stored[0]))] == ids
    assert bucket.info(stored[0]).details.metadata["contents_deleted"] == "true"


def test_a_missing_library_is_logged(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notify.messages.archive_files.find_spec", lambda name: None)
    ids = add(parts, datetime(2024, 3, 1, 7, 30, tzinfo=UTC))
    with capture_logs() as logs:
        tasks.deep_archive_notification_history(
            Container(with_settings(parts, s3_bucket_notification_deep_history=BUCKET))
        )
    assert [log["log_level"] for log in logs] == ["error"]
    assert left(parts) == set(ids)


def test_s3_has_tags(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3
    from moto.server import ThreadedMotoServer

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        client: Any = boto3.client("s3", region_name="eu-west-2")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
        ids = add(parts, datetime(2024, 3, 1, 7, 30, tzinfo=UTC))
        assert archive(parts, S3Archive(BUCKET, "eu-west-2")).run(NOW) == 1
        (entry,) = client.list_objects_v2(Bucket=BUCKET)["Contents"]
        found = client.get_object(Bucket=BUCKET, Key=entry["Key"])
        assert [UUID(bytes=row["id"]) for row in rows(found["Body"].read())] == ids
        assert found["ServerSideEncryption"] == "AES256"
        tags = client.get_object_tagging(Bucket=BUCKET, Key=entry["Key"])["TagSet"]
        assert {tag["Key"]: tag["Value"] for tag in tags}["contents_deleted"] == "true"
    finally:
        moto.stop()
