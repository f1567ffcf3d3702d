"""Deletes the PDFs of letters (contract: workers 14.2; docs/decisions/0033).

Only by status: a PDF is deleted when the letter is older than its service's retention period and has a status in
`COMPLETED`. A letter that is `created`, `sending` or `pending-virus-check` may still have to be printed, or printed
again; its PDF stays at any age, and wherever its row is.

There are two ways. Before a letter's row moves to the history, its PDF is deleted (`delete_before_rows`). What that
missed (the store was unreachable, or the final status came when the row was already in the history) is found each
night in the buckets themselves (`sweep`). Nothing else deletes the PDFs of letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

import structlog
from psycopg import Connection
from psycopg.rows import args_row

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.objects import Bucket
from notify.infra.times import local_date, local_days_ago
from notify.letters.files import LetterFiles, LetterMissingError, StoredLetter, reference_of
from notify.messages.statuses import COMPLETED
from notify.services.retention import USUAL_RETENTION_DAYS

logger = structlog.get_logger(__name__)

AT_A_TIME: Final = 500
"""Letters per batch. Their rows are locked while their PDFs are deleted, so that their status cannot change."""
THREADS: Final = 8
MOST_DAYS: Final = 36_500

_KEY: Final = re.compile(r"(?:\d{4}-\d\d-\d\d/)?NOTIFY\.[A-Z0-9]{16}\..*\.PDF", re.ASCII)
"""Keys of PDFs. Other objects, such as the markers of zip files, are not touched."""
_FOLDER: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_STAMP: Final = re.compile(r"\.(\d{14})\.PDF$", re.ASCII)

_ROW: Final = "id, reference, postage, created_at, key_type, notification_status, service_id"
_BY_ID: Final = f"SELECT {_ROW} FROM notifications WHERE id = ANY(%s) AND notification_type = 'letter' FOR SHARE"  # noqa: S608
_BY_REFERENCE: Final = (
    f"SELECT {_ROW} FROM notifications WHERE reference = ANY(%s) AND notification_type = 'letter' FOR SHARE"  # noqa: S608
)
_OLD_BY_REFERENCE: Final = (
    f"SELECT {_ROW} FROM notification_history WHERE reference = ANY(%s) AND notification_type = 'letter' FOR SHARE"  # noqa: S608
)
_RETENTION: Final = (
    "SELECT service_id, days_of_retention FROM service_data_retention WHERE notification_type = 'letter'"
)


class _Row(NamedTuple):
    """The row that decides about a PDF: a `Letter` of `notify.letters.files`."""

    id: UUID
    reference: str | None
    postage: str | None
    created_at: datetime
    key_type: str
    notification_status: str
    service_id: UUID


def may_go(status: str, key_type: str) -> bool:
    """Whether the PDF of a letter may be deleted with its row, after the retention period. Letters of test keys are
    never printed, and their rows are deleted whatever their status.
    """
    return status in COMPLETED or key_type == "test"


class _Retention:
    """Until when the letters of each service are kept."""

    def __init__(self, days: Mapping[UUID, int], now: datetime) -> None:
        self._days = {service: max(0, min(number, MOST_DAYS)) for service, number in days.items()}
        self._now = now
        self._shortest = min([USUAL_RETENTION_DAYS, *self._days.values()])

    def is_over(self, row: _Row) -> bool:
        """Whether a letter is older than its service keeps letters."""
        days = self._days.get(row.service_id, USUAL_RETENTION_DAYS)
        return row.created_at < local_days_ago(self._now, days)

    @property
    def youngest_day(self) -> date:
        """The newest local day whose folder may hold letters after their retention period. A letter accepted in the
        evening is in the folder of the next day.
        """
        return local_date(self._now) - timedelta(days=self._shortest)


class LetterDeletion:
    """Deletes the PDFs of letters, and nothing else."""

    def __init__(self, database: Database, files: LetterFiles) -> None:
        self._database = database
        self._files = files

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database, container.get(LetterFiles))

    # -- with the rows

    def delete_before_rows(self, ids: Sequence[UUID]) -> int:
        """Delete the PDFs of letters whose rows are about to be deleted, except those that may still be printed.
        Returns the number of PDFs. Failures are logged: the sweep will find these PDFs.
        """
        deleted = missing = 0
        for start in range(0, len(ids), AT_A_TIME):
            with self._database.connection() as connection:
                rows = _rows(connection, _BY_ID, list(ids[start : start + AT_A_TIME]))
                due = [row for row in rows if may_go(row.notification_status, row.key_type)]
                found = self._find_all(due)
                deleted += self._delete(found)
                missing += len(due) - len(found)
        if missing > 0:
            logger.warning("letters without a PDF to delete", number=missing)
        return deleted

    def _find_all(self, rows: Sequence[_Row]) -> list[StoredLetter]:
        if not rows:
            return []
        with ThreadPoolExecutor(THREADS, thread_name_prefix="letters") as threads:
            return [place for places in threads.map(self._find, rows) for place in places]

    def _find(self, row: _Row) -> list[StoredLetter]:
        try:
            if row.key_type == "test" and row.notification_status == "pending-virus-check" and row.reference:
                key = self._files.find_unchecked(row.reference)
                return [StoredLetter(self._files.scan, key)] if key else []
            return [self._files.find(row)]
        except LetterMissingError:
            return []
        except Exception as error:  # any error of the store
            logger.error("PDF of a letter not looked up", id=row.id, error=type(error).__name__)
            return []

    def _delete(self, places: Sequence[StoredLetter]) -> int:
        by_bucket: dict[int, tuple[Bucket, list[str]]] = {}
        for bucket, key in places:
            by_bucket.setdefault(id(bucket), (bucket, []))[1].append(key)
        return sum(_delete_keys(bucket, keys) for bucket, keys in by_bucket.values())

    # -- by what is there

    def sweep(self, now: datetime) -> int:
        """Delete every PDF whose letter has a final status and is older than its service's retention period, whether
        its row is live or in the history. Returns their number. A PDF without a row stays, unless it is a test key's.
        Safe to run at any time, and twice.
        """
        retention = self._read_retention(now)
        deleted = 0
        for bucket, keys in self._folders_to_check(retention.youngest_day):
            while chunk := list(islice(keys, AT_A_TIME)):
                deleted += self._sweep(bucket, chunk, retention, now)
        return deleted

    def _folders_to_check(self, youngest: date) -> Iterator[tuple[Bucket, Iterator[str]]]:
        """Buckets, each with folders that may hold PDFs to delete, the oldest first."""
        for folder in self._files.live.folders():
            if _FOLDER.fullmatch(folder) and folder <= youngest.isoformat():
                yield self._files.live, _letters(self._files.live, folder + "/")
        for bucket in (self._files.invalid, self._files.test):
            yield bucket, _letters(bucket, "")

    def _sweep(self, bucket: Bucket, keys: Sequence[str], retention: _Retention, now: datetime) -> int:
        references = [reference_of(key) for key in keys]
        with self._database.connection() as connection:
            rows: dict[str, list[_Row]] = {}
            # in this order, so that a row that moves to the history in between is found there
            for query in (_BY_REFERENCE, _OLD_BY_REFERENCE):
                for row in _rows(connection, query, references):
                    rows.setdefault(row.reference or "", []).append(row)
            due, lost = [], 0
            for key, reference in zip(keys, references, strict=True):
                owners = rows.get(reference, [])
                if owners:
                    if all(row.notification_status in COMPLETED and retention.is_over(row) for row in owners):
                        due.append(key)
                elif bucket is self._files.test and _is_old(key, now):
                    due.append(key)
                else:
                    lost += 1
            if lost and bucket is self._files.live:
                logger.warning("PDFs of letters that are in no table: left alone", number=lost)
            return _delete_keys(bucket, due)

    def _read_retention(self, now: datetime) -> _Retention:
        with self._database.connection() as connection:
            return _Retention(dict(connection.execute(_RETENTION).fetchall()), now)


def _rows(connection: Connection[Any], query: Any, values: Sequence[Any]) -> list[_Row]:
    return connection.cursor(row_factory=args_row(_Row)).execute(query, (values,)).fetchall()


def _letters(bucket: Bucket, folder: str) -> Iterator[str]:
    return (key for key in bucket.keys(folder) if _KEY.fullmatch(key))


def _is_old(key: str, now: datetime) -> bool:
    """Whether a letter without a row is older than the default retention period, by the time in its name."""
    stamp = _STAMP.search(key)
    if stamp is None:
        return False
    try:
        made = datetime.strptime(stamp[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return False
    return made < local_days_ago(now, USUAL_RETENTION_DAYS)


def _delete_keys(bucket: Bucket, keys: Sequence[str]) -> int:
    if not keys:
        return 0
    try:
        bucket.delete_many(keys)
    except Exception as error:  # any error of the store: the next night is soon enough
        logger.error("PDFs of letters not deleted", number=len(keys), error=type(error).__name__)
        return 0
    return len(keys)
