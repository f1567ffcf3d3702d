"""The partitions of the history: one per month of message ids, created ahead (docs/decisions/0043).

The default partition holds ids that are not UUIDs of version 7 in a month's range (such as those of uploaded letters),
and messages of months without a partition. So no message is ever refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString, NamedTuple, Self
from uuid import UUID

import psycopg
from psycopg import Connection, errors, sql

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.ids import first_id
from notify.messages.models import HISTORY_DEFAULT, NotificationHistory

MONTHS_AHEAD: Final = 3
NOT_BEFORE: Final = timedelta(days=1)
"""A month that begins within this time no longer gets a partition: its rows would be refused while one is made."""
LATE: Final = timedelta(days=100)
"""Messages may move to the history this long after their month: retention periods are up to 90 days."""
LOCK_MS: Final = 2_000
"""Timeout of a lock in milliseconds: other readers of the history wait meanwhile."""

BUSY: Final = (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected)
"""Errors if others lock the history for too long: try again later."""

_TABLE: Final = sql.Identifier(NotificationHistory.__tablename__)
_DEFAULT: Final = sql.Identifier(HISTORY_DEFAULT)
_NOT_TO_COME: Final = sql.Identifier("ck_notification_history_not_to_come")
_NAME: Final = re.compile(NotificationHistory.__tablename__ + r"_(?P<year>\d{4})_(?P<month>\d\d)")

# 6015: partitions
_ONE_AT_A_TIME: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended('notification_history', 6015))"
_IS_PROMISED: Final = "SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = 'ck_notification_history_not_to_come')"
_NAMES: Final = """
SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = to_regclass('notification_history') ORDER BY c.relname
"""
_LIMITS: Final = """
SELECT set_config('lock_timeout', %(lock)s, true), set_config('statement_timeout', %(statement)s, true)
"""
_FORGET: Final = sql.SQL("ALTER TABLE {default} DROP CONSTRAINT {name}")
_PROMISE: Final = sql.SQL("ALTER TABLE {default} ADD CONSTRAINT {name} CHECK (id < {first} OR id >= {end}) NOT VALID")
_PROVE: Final = sql.SQL("ALTER TABLE {default} VALIDATE CONSTRAINT {name}")
_CREATE: Final = sql.SQL("CREATE TABLE {partition} (LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
_ATTACH: Final = sql.SQL("ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES FROM ({first}) TO ({end})")
_MOVE: Final = sql.SQL(
    "WITH moved AS (DELETE FROM {default} WHERE id >= {first} AND id < {end} RETURNING *)"
    " INSERT INTO {partition} SELECT * FROM moved"
)
_HAS_ROWS: Final = sql.SQL("SELECT EXISTS (SELECT FROM {})")
_HOLD: Final = sql.SQL("LOCK TABLE ONLY {} IN ACCESS EXCLUSIVE MODE").format(_TABLE)
_DROP: Final = sql.SQL("DROP TABLE {}")
_ANALYSE: Final = sql.SQL("ANALYZE {}").format(_TABLE)


class Month(NamedTuple):
    """A month (UTC): start, and exclusive end."""

    begins: datetime
    ends: datetime

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """The month of a moment."""
        begins = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        return cls(begins, (begins + timedelta(days=31)).replace(day=1))

    @property
    def name(self) -> str:
        """The name of its partition."""
        return f"{NotificationHistory.__tablename__}_{self.begins:%Y_%m}"

    @property
    def ids(self) -> tuple[UUID, UUID]:
        """The first id of the month, and the first one after it."""
        return first_id(self.begins), first_id(self.ends)


class Partitions:
    """Creates partitions of the history ahead, and drops old empty ones. Each step is short, waits for locks at most
    `LOCK_MS`, and may be interrupted: the next run continues. A history that is not partitioned yet (in a database
    before its migration) stays unchanged.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(container.parts.database)

    def create(self, now: datetime) -> list[str]:
        """Create the missing partitions of the coming months; returns their names. A month that has begun stays in the
        default partition. Raises one of `BUSY`.
        """
        with self._database.connection() as holder:
            present = _names(holder)
            if not present or not _scalar(holder, _ONE_AT_A_TIME):
                return []
            self._forget()
            missing = [month for month in _coming(now) if month.name not in present]
            for month in missing:
                self._make(month)
            if missing:
                with self._step(statement_ms=0) as connection:
                    connection.execute(_ANALYSE)  # autovacuum analyses partitions, but not their parent
        return [month.name for month in missing]

    def drop_empty(self, now: datetime) -> list[str]:
        """Drop empty partitions of months so old that no more messages move there: the deep archive took their rows.
        Returns their names. Raises one of `BUSY`.
        """
        with self._database.connection() as connection:
            names = [name for name in _names(connection) if _ended(name, now - LATE)]
        return [name for name in names if self._drop(name)]

    def _make(self, month: Month) -> None:
        """Create a month's partition. The few rows of the default partition that belong to it (random ids fall into
        every month) are moved. Validating a constraint on the default partition, while it stays in use, proves that no
        row of the month is left, so that PostgreSQL need not scan it under the lock.
        """
        first, end = month.ids
        values: dict[str, Any] = {"default": _DEFAULT, "table": _TABLE, "name": _NOT_TO_COME}
        values |= {"partition": sql.Identifier(month.name), "first": sql.Literal(first), "end": sql.Literal(end)}
        try:
            with self._step() as connection:
                connection.execute(_PROMISE.format(**values))
            with self._step(statement_ms=0) as connection:
                for statement in (_CREATE, _MOVE, _PROVE, _ATTACH, _FORGET):
                    connection.execute(statement.format(**values))
        except BaseException:
            with suppress(psycopg.Error):
                self._forget()
            raise

    def _forget(self) -> None:
        """Drop the constraint of an interrupted run."""
        with self._step() as connection:
            if _scalar(connection, _IS_PROMISED):
                connection.execute(_FORGET.format(default=_DEFAULT, name=_NOT_TO_COME))

    def _drop(self, name: str) -> bool:
        """Drop a partition if it is empty. (`DETACH ... CONCURRENTLY` is not for tables with a default partition.)"""
        has_rows = _HAS_ROWS.format(sql.Identifier(name))
        with self._step(statement_ms=0) as connection:
            if _scalar(connection, has_rows):
                return False
        with self._step(statement_ms=LOCK_MS) as connection:
            connection.execute(_HOLD)
            if _scalar(connection, has_rows):
                return False
            connection.execute(_DROP.format(sql.Identifier(name)))
        return True

    @contextmanager
    def _step(self, *, statement_ms: int = LOCK_MS) -> Iterator[Connection[Any]]:
        """A transaction with timeouts. `statement_ms` is that of a statement (0: none)."""
        with self._database.connection() as connection:
            connection.execute(_LIMITS, {"lock": str(LOCK_MS), "statement": str(statement_ms)})
            yield connection


def _coming(now: datetime) -> Iterator[Month]:
    """The months that should have a partition by now."""
    month = Month.of(now)
    for _ in range(MONTHS_AHEAD):
        month = Month.of(month.ends)
        if month.begins - now > NOT_BEFORE:
            yield month


def _names(connection: Connection[Any]) -> list[str]:
    return [name for (name,) in connection.execute(_NAMES)]


def _ended(name: str, before: datetime) -> bool:
    """Whether this is the name of the partition of a month that ended before a moment."""
    match = _NAME.fullmatch(name)
    return (
        match is not None and Month.of(datetime(int(match["year"]), int(match["month"]), 1, tzinfo=UTC)).ends < before
    )


def _scalar(connection: Connection[Any], query: LiteralString | sql.Composed) -> Any:
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]
