"""Moves messages to the history, which has no personal data, after their retention period (contract: workers 14.1).
Those of test keys are deleted.

One statement moves a message, so it is always in exactly one of the two tables, and a statement that counts both counts
it once. A killed run leaves whole batches, and the next one continues from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple, Self
from uuid import UUID

from psycopg.rows import args_row

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.queue import TaskName
from notify.messages.hooks import letter_files
from notify.services.retention import USUAL_RETENTION_DAYS, kept_since
from notify.vocabulary import STATUSES

DELETE_FOR_SERVICE: Final = TaskName("delete-notifications-for-service-and-type")
DELETE_TEST_FOR_SERVICE: Final = TaskName("delete-test-notifications-for-service-and-type")
DELETE_OF_TYPE: Final = {
    "email": TaskName("delete-email-notifications"),
    "sms": TaskName("delete-sms-notifications"),
    "letter": TaskName("delete-letter-notifications"),
}
SPREAD_SECONDS: Final = 300
"""The tasks of all services begin within this time."""

KEPT_LETTERS: Final = frozenset({"pending-virus-check", "created", "sending"})
"""Letters with these statuses stay at any age: they may still have to be printed."""
BATCH: Final = 2_000
"""Messages per transaction, which takes some tens of milliseconds."""
RUN_SECONDS: Final = 60.0
"""Seconds that one task moves messages; then it publishes itself again, so that other tasks can run."""

_COLUMNS: Final = (
    "id, job_id, job_row_number, service_id, template_id, template_version, api_key_id, key_type, notification_type, "
    "created_at, sent_at, sent_by, updated_at, reference, billable_units, client_reference, international, "
    "phone_prefix, rate_multiplier, notification_status, created_by_id, postage, document_download_count"
)
# by the index of lists (docs/decisions/0020): what stays for longer, of another type or status, is not looked at.
# `m.tries >= 0`: see OF_ITS_LIST in models.py
_GROUPS: Final = """
SELECT kind AS key_type, status, in_job
FROM unnest(%(key_types)s::text[]) AS kind, unnest(%(statuses)s::text[]) AS status,
     unnest(ARRAY[false, true]) AS in_job
CROSS JOIN LATERAL (
    SELECT FROM notifications m
    WHERE m.service_id = %(service)s AND m.key_type = kind AND m.notification_type = %(type)s::notification_type
          AND m.notification_status = status AND (m.job_id IS NOT NULL) = in_job AND m.created_at < %(before)s
          AND m.tries >= 0
    LIMIT 1
) AS found
"""
_SERVICES: Final = """
SELECT s.id, r.days_of_retention AS days FROM services s
LEFT JOIN service_data_retention r ON r.service_id = s.id AND r.notification_type = %(type)s::notification_type
WHERE r.id IS NOT NULL OR EXISTS (
    SELECT FROM unnest(%(key_types)s::text[]) AS kind, unnest(%(statuses)s::text[]) AS status,
                unnest(ARRAY[false, true]) AS in_job
    CROSS JOIN LATERAL (
        SELECT FROM notifications m
        WHERE m.service_id = s.id AND m.key_type = kind AND m.notification_type = %(type)s::notification_type
              AND m.notification_status = status AND (m.job_id IS NOT NULL) = in_job AND m.created_at < %(before)s
              AND m.tries >= 0
        LIMIT 1
    ) AS found)
ORDER BY s.id
"""
# the retention period of a scheduled message begins at its time. A message that another transaction is changing, or a
# worker is sending, is left for the next run
_DUE: Final = """
DELETE FROM notifications WHERE ctid = ANY(ARRAY(
    SELECT found.ctid FROM unnest(ARRAY[%(in_job)s::boolean]) AS in_job
    CROSS JOIN LATERAL (
        SELECT m.ctid FROM notifications m
        WHERE m.service_id = %(service)s AND m.key_type = %(key_type)s
              AND m.notification_type = %(type)s::notification_type AND m.notification_status = %(status)s
              AND (m.job_id IS NOT NULL) = in_job AND m.created_at < %(before)s
              AND (m.scheduled_for IS NULL OR m.scheduled_for < %(before)s)
              AND (m.created_at, m.id) > (%(after)s, %(after_id)s) AND m.tries >= 0
              AND (%(ids)s::uuid[] IS NULL OR m.id = ANY(%(ids)s::uuid[]))
              AND (%(status)s <> 'created' OR pg_try_advisory_xact_lock(hashtextextended(m.id::text, 6011)))
        ORDER BY m.created_at, m.id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    ) AS found))
"""
_PEEK: Final = """
SELECT found.id, found.created_at FROM unnest(ARRAY[%(in_job)s::boolean]) AS in_job
CROSS JOIN LATERAL (
    SELECT m.id, m.created_at FROM notifications m
    WHERE m.service_id = %(service)s AND m.key_type = %(key_type)s AND m.notification_type = %(type)s::notification_type
          AND m.notification_status = %(status)s AND (m.job_id IS NOT NULL) = in_job
          AND m.created_at < %(before)s AND (m.created_at, m.id) > (%(after)s, %(after_id)s) AND m.tries >= 0
    ORDER BY m.created_at, m.id LIMIT %(limit)s
) AS found
"""
# a batch that a crash of the server undoes is moved by the next run: nobody has to wait for the disk
_NO_WAIT: Final = "SET LOCAL synchronous_commit = off"
_LAST: Final = "SELECT count(*) OVER () AS number, created_at, id FROM gone ORDER BY created_at DESC, id DESC LIMIT 1"
_MOVE: Final = (
    "WITH gone AS ("  # noqa: S608 - texts of this file
    + _DUE
    + " RETURNING "
    + _COLUMNS
    + "), archived AS (INSERT INTO notification_history ("
    + _COLUMNS
    + ") SELECT "
    + _COLUMNS
    + " FROM gone ON CONFLICT (id) DO NOTHING) "
    + _LAST
)
_DELETE: Final = "WITH gone AS (" + _DUE + " RETURNING created_at, id) " + _LAST


class _Group(NamedTuple):
    """Messages of a service and type with the same leading columns of the index."""

    key_type: str
    status: str
    in_job: bool


class _Batch(NamedTuple):
    """The result of one statement: the number of messages, and the position of the last one."""

    number: int
    created_at: datetime
    id: UUID


class _Due(NamedTuple):
    """A letter about to be moved or deleted."""

    id: UUID
    created_at: datetime


class _Retention(NamedTuple):
    """A service, and its days of retention for a type of message."""

    id: UUID
    days: int | None


class DueService(NamedTuple):
    """A service whose messages created before `before` may be due."""

    id: UUID
    before: datetime


class Retention:
    """Moves and deletes messages, one batch per transaction. `batch` is the number of messages in one. `delete_files`
    is called with the ids of letters before their rows are moved, because the rows tell where the files are.
    """

    def __init__(
        self,
        database: Database,
        delete_files: Callable[[Sequence[UUID]], None],
        *,
        batch: int = BATCH,
        run_seconds: float = RUN_SECONDS,
    ) -> None:
        self._database = database
        self._delete_files = delete_files
        self._batch = batch
        self._run_seconds = run_seconds

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database, partial(letter_files.delete, container))

    def due_services(self, notification_type: str, now: datetime) -> list[list[DueService]]:
        """Two groups of services: those with their own retention period for this type, and others with messages older
        than the default seven days.
        """
        usual = kept_since(now, USUAL_RETENTION_DAYS)
        values = {
            "type": notification_type,
            "key_types": ["normal", "team", "test"],
            "statuses": list(STATUSES),
            "before": usual,
        }
        with self._database.connection() as connection:
            rows = connection.cursor(row_factory=args_row(_Retention)).execute(_SERVICES, values).fetchall()
        own = [DueService(row.id, kept_since(now, row.days)) for row in rows if row.days is not None]
        others = [DueService(row.id, usual) for row in rows if row.days is None]
        return [own, others]

    def move(self, service_id: UUID, notification_type: str, before: datetime) -> int:
        """Move a service's messages of a type created before a time to the history, or as many as fit into the time of
        a run. Returns their number; 0 if there are no more.
        """
        kept = KEPT_LETTERS if notification_type == "letter" else frozenset()
        statuses = [status for status in STATUSES if status not in kept]
        return self._each_group(_MOVE, service_id, notification_type, before, ["normal", "team"], statuses)

    def delete_test(self, service_id: UUID, notification_type: str, before: datetime) -> int:
        """Delete messages of test keys, with any status. Otherwise as `move`."""
        return self._each_group(_DELETE, service_id, notification_type, before, ["test"], STATUSES)

    def _each_group(
        self,
        statement: str,
        service_id: UUID,
        notification_type: str,
        before: datetime,
        key_types: Sequence[str],
        statuses: Sequence[str],
    ) -> int:
        ends = time.monotonic() + self._run_seconds
        values: dict[str, Any] = {"service": service_id, "type": notification_type, "before": before}
        every = values | {"key_types": list(key_types), "statuses": list(statuses)}
        with self._database.connection() as connection:
            groups = connection.cursor(row_factory=args_row(_Group)).execute(_GROUPS, every).fetchall()
        number = 0
        for group in groups:
            for moved in self._batches(statement, values | group._asdict()):
                number += moved
                if time.monotonic() > ends:
                    return number
        return number

    def _batches(self, statement: str, values: dict[str, Any]) -> Iterator[int]:
        """The sizes of committed batches. A batch begins where the last one ended, to avoid reading dead rows again."""
        after: tuple[datetime, UUID] = (datetime.min.replace(tzinfo=UTC), UUID(int=0))
        size = self._batch
        while size == self._batch:
            place = {"after": after[0], "after_id": after[1], "limit": self._batch, "ids": None}
            if values["type"] == "letter":
                due = self._peek(values | place)
                if not due:
                    return
                size, after = len(due), (due[-1].created_at, due[-1].id)
                ids = [letter.id for letter in due]
                self._delete_files(ids)
                place["ids"] = ids
            with self._database.connection() as connection:
                connection.execute(_NO_WAIT)
                cursor = connection.cursor(row_factory=args_row(_Batch))
                batch = cursor.execute(statement, values | place).fetchone()
            if values["type"] != "letter":
                if batch is None:
                    return
                size, after = batch.number, (batch.created_at, batch.id)
            if batch is not None:
                yield batch.number

    def _peek(self, values: dict[str, Any]) -> list[_Due]:
        with self._database.connection() as connection:
            return connection.cursor(row_factory=args_row(_Due)).execute(_PEEK, values).fetchall()
