"""The partitions of the history: one for each month of messages' ids, made ahead (docs/decisions/0043).

Ids that are no UUIDs of version 7 in a month's range, those of letters that people upload among them, are in the
default partition; so is everything for whose month there is no partition. So no message is ever refused.
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
"""A month that begins within this time gets no partition any more: while one is made, its rows would be refused."""
LATE: Final = timedelta(days=100)
"""Messages come to the history for so long after their month: services keep them for up to 90 days."""
LOCK_MS: Final = 2_000
"""How long a lock is waited for: everybody else who reads the history waits meanwhile."""

BUSY: Final = (errors.LockNotAvailable, errors.QueryCanceled, errors.DeadlockDetected)
"""Somebody else had the history for too long: try again later."""

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
    """A month (UTC), from a moment up to another."""

    begins: datetime
    ends: datetime

    @classmethod
    def of(cls, moment: datetime) -> Self:
        """The one that a moment lies in."""
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
    """Makes partitions of the history ahead, and drops those that are empty for good. Each step is short, waits for no
    lock longer than `LOCK_MS`, and may be broken off: the next run goes on. A history without partitions (of a database
    that is yet to be migrated) stays as it is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def build(cls, container: Container) -> Self:
        """The process's own."""
        return cls(container.parts.database)

    def create(self, now: datetime) -> list[str]:
        """Make the partitions of the coming months that are missing; their names. A month that has begun stays in the
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
                    connection.execute(_ANALYSE)  # autovacuum looks at each partition only
        return [month.name for month in missing]

    def drop_empty(self, now: datetime) -> list[str]:
        """Drop the partitions of months that are over for so long that nothing comes any more, if they are empty: the
        deep archive took their rows. Their names. Raises one of `BUSY`.
        """
        with self._database.connection() as connection:
            names = [name for name in _names(connection) if _ended(name, now - LATE)]
        return [name for name in names if self._drop(name)]

    def _make(self, month: Month) -> None:
        """Make a month's partition. The few rows of the default one that belong to it move: random ids lie in every
        month. The default one is read through while everybody goes on using it: the constraint is a proof that none of
        the month is left, so that it need not be read again under the lock.
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
        """Drop the proof of a run that was broken off."""
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
        """A transaction with limits of time: a statement of its own may take so long (0: any time)."""
        with self._database.connection() as connection:
            connection.execute(_LIMITS, {"lock": str(LOCK_MS), "statement": str(statement_ms)})
            yield connection


def _coming(now: datetime) -> Iterator[Month]:
    """The months that are to have a partition by now."""
    month = Month.of(now)
    for _ in range(MONTHS_AHEAD):
        month = Month.of(month.ends)
        if month.begins - now > NOT_BEFORE:
            yield month


def _names(connection: Connection[Any]) -> list[str]:
    return [name for (name,) in connection.execute(_NAMES)]


def _ended(name: str, before: datetime) -> bool:
    """Whether it is the name of a month's partition that was over before a moment."""
    match = _NAME.fullmatch(name)
    return (
        match is not None and Month.of(datetime(int(match["year"]), int(match["month"]), 1, tzinfo=UTC)).ends < before
    )


def _scalar(connection: Connection[Any], query: LiteralString | sql.Composed) -> Any:
    row = connection.execute(query).fetchone()
    return None if row is None else row[0]
