"""Re-encrypts stored values with the newest key, while everything runs.

Every encrypted column is marked in its model (`notify.infra.secrets.ENCRYPTED`), so none can be forgotten. A batch is
one short transaction that locks its rows in the order of their ids, as everything else does. Values that already have
the newest key are skipped: an interrupted run continues where it stopped, and a second run changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import MetaData, Table

from notify.infra.database import Database
from notify.infra.key_check import CHECK_VALUE, Sample
from notify.infra.secrets import ENCRYPTED, EncryptedColumn, Encryptor, UndecipherableError

BATCH: Final = 500
MOST_PASSES: Final = 5
"""Most passes over one table: each finds values that other processes wrote with an older key meanwhile."""


class EncryptedTable(NamedTuple):
    """A table with encrypted columns: their names in the database, and the associated data of each."""

    name: str
    key: tuple[str, ...]
    columns: dict[str, EncryptedColumn]


class Progress(NamedTuple):
    """Progress in a table: rows rewritten, and values that no configured key decrypts."""

    table: str
    rewritten: int
    unreadable: int


class Result(NamedTuple):
    """The result for a table. `is_complete`: at the end no value had an older key, except unreadable ones."""

    table: str
    rewritten: int
    unreadable: int
    is_complete: bool


class _Pass(NamedTuple):
    rewritten: int
    unreadable: int


def encrypted_tables(metadata: MetaData) -> list[EncryptedTable]:
    """Every table with encrypted columns. The one of the check at start comes last."""
    found = [_encrypted_table(table) for table in metadata.sorted_tables]
    tables = [table for table in found if table.columns]
    return sorted(tables, key=lambda table: table.name == CHECK_VALUE.table)


def _encrypted_table(table: Table) -> EncryptedTable:
    columns = {column.name: column.info[ENCRYPTED] for column in table.columns if ENCRYPTED in column.info}
    return EncryptedTable(table.name, tuple(column.name for column in table.primary_key), columns)


def samples(connection: psycopg.Connection[Any], metadata: MetaData) -> Iterator[Sample]:
    """The newest value of each encrypted column, for a database without a check row."""
    for table in encrypted_tables(metadata):
        for name, column in table.columns.items():
            query = sql.SQL(
                "SELECT {column}, id FROM {table} WHERE {column} IS NOT NULL ORDER BY id DESC LIMIT 1"
            ).format(column=sql.Identifier(name), table=sql.Identifier(table.name))
            for value, row_id in connection.execute(query):
                yield Sample(value, column, row_id)


class Rotation:
    """Re-encrypts a database's values with the newest key."""

    def __init__(
        self,
        database: Database,
        encryptor: Encryptor,
        *,
        batch: int = BATCH,
        pause: float = 0.0,
        report: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        """`batch` rows are rewritten at a time, with `pause` seconds between two batches. `report` is called after each
        batch.
        """
        self._database = database
        self._encryptor = encryptor
        self._batch = batch
        self._pause = pause
        self._report = report

    def run(self, metadata: MetaData) -> list[Result]:
        """Rewrite all tables. If one is not complete, the check row keeps the older key, so that a process without that
        key does not start. Raises `psycopg.Error`; batches done until then stay.
        """
        results: list[Result] = []
        for table in encrypted_tables(metadata):
            if table.name == CHECK_VALUE.table and not all(result.is_complete for result in results):
                break
            results.append(self._rotate(table))
        return results

    def _rotate(self, table: EncryptedTable) -> Result:
        rewritten = 0
        for _ in range(MOST_PASSES):
            found = self._pass(table, rewritten)
            rewritten += found.rewritten
            if not found.rewritten:
                return Result(table.name, rewritten, found.unreadable, is_complete=True)
        return Result(table.name, rewritten, found.unreadable, is_complete=False)

    def _pass(self, table: EncryptedTable, before: int) -> _Pass:
        """Go over the table once, in the order of its primary key."""
        rewritten = unreadable = 0
        last: tuple[Any, ...] | None = None
        while True:
            with self._database.connection() as connection:
                rows = connection.execute(self._select(table, last), self._values(last)).fetchall()
                done = self._rewrite(connection, table, rows)
            rewritten += done.rewritten
            unreadable += done.unreadable
            self._report(Progress(table.name, before + rewritten, unreadable))
            if len(rows) < self._batch:
                return _Pass(rewritten, unreadable)
            last = rows[-1][: len(table.key)]
            if self._pause:
                time.sleep(self._pause)

    def _select(self, table: EncryptedTable, last: tuple[Any, ...] | None) -> sql.Composed:
        """Query for rows after `last` with a value that does not have the current header."""
        key = sql.SQL(", ").join(map(sql.Identifier, table.key))
        outdated = sql.SQL(" OR ").join(
            sql.SQL("substring({} FROM 1 FOR {}) <> {}").format(
                sql.Identifier(name),
                sql.Literal(len(self._encryptor.current_header)),
                sql.Placeholder("header"),
            )
            for name in table.columns
        )
        after: sql.Composable = sql.SQL("")
        if last is not None:
            places = sql.SQL(", ").join(sql.Placeholder(f"last_{position}") for position in range(len(table.key)))
            after = sql.SQL(" AND ({}) > ({})").format(key, places)
        return sql.SQL(
            "SELECT {key}, {columns} FROM {table} WHERE ({outdated}){after} ORDER BY {key} LIMIT {limit} FOR UPDATE"
        ).format(
            key=key,
            columns=sql.SQL(", ").join(map(sql.Identifier, table.columns)),
            table=sql.Identifier(table.name),
            outdated=outdated,
            after=after,
            limit=sql.Literal(self._batch),
        )

    def _values(self, last: tuple[Any, ...] | None) -> dict[str, Any]:
        places = {f"last_{position}": value for position, value in enumerate(last or ())}
        return {"header": self._encryptor.current_header, **places}

    def _rewrite(
        self, connection: psycopg.Connection[Any], table: EncryptedTable, rows: Sequence[tuple[Any, ...]]
    ) -> _Pass:
        """Re-encrypt the values of rows, in the transaction that has locked them."""
        update = sql.SQL("UPDATE {table} SET {changes} WHERE {condition}").format(
            table=sql.Identifier(table.name),
            changes=sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in table.columns),
            condition=sql.SQL(" AND ").join(sql.SQL("{} = %s").format(sql.Identifier(name)) for name in table.key),
        )
        changes, unreadable = [], 0
        for row in rows:
            key, old = row[: len(table.key)], row[len(table.key) :]
            named = dict(zip(table.key, key, strict=True))
            new = [
                self._renew(value, column, named["id"])
                for value, column in zip(old, table.columns.values(), strict=True)
            ]
            unreadable += sum(value is None and before is not None for value, before in zip(new, old, strict=True))
            values = [before if value is None else value for value, before in zip(new, old, strict=True)]
            if values != list(old):
                changes.append((*values, *key))
        if changes:
            with connection.cursor() as cursor:
                cursor.executemany(update, changes)
        return _Pass(len(changes), unreadable)

    def _renew(self, value: bytes | None, column: EncryptedColumn, row_id: UUID) -> bytes | None:
        """The value encrypted with the newest key; None if there is none, or if it cannot be read."""
        if value is None or value.startswith(self._encryptor.current_header):
            return value
        try:
            return self._encryptor.encrypt(self._encryptor.decrypt(value, column, row_id), column, row_id)
        except UndecipherableError:
            return None
