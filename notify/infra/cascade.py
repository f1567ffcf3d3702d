"""Deletes rows with everything that refers to them, by the foreign keys of the tables' metadata, so that new tables are
included automatically. For test data: it reads all ids into memory, and deletes in one transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from sqlalchemy import Column, ForeignKeyConstraint, MetaData, Table, delete, select, tuple_, update
from sqlalchemy.orm import Session

AT_A_TIME: Final = 1_000

Key = tuple[Any, ...]


class Cascade:
    """Collects rows to delete, with the rows that refer to them, and deletes them in an order that foreign keys allow.

    A row that refers to a deleted one is deleted too, unless its column is in `loosened` (it becomes NULL; columns that
    refer to their own table must be in it) or in `replaced` (it becomes the value there).
    """

    def __init__(
        self,
        session: Session,
        metadata: MetaData,
        *,
        loosened: Collection[str] = (),
        replaced: dict[str, Any] | None = None,
    ) -> None:
        """`loosened` and `replaced` name columns as `table.column`."""
        self._session = session
        self._tables = metadata.sorted_tables
        self._loosened = frozenset(loosened)
        self._replaced = replaced or {}
        self._keys: dict[Table, set[Key]] = {}
        self._changes: list[tuple[Column[Any], Any, list[Key]]] = []

    def add(self, table: Table, keys: Iterable[Key]) -> None:
        """Add rows, by their primary keys, with all rows that refer to them."""
        known = self._keys.setdefault(table, set())
        new = set(keys) - known
        if not new:
            return
        known |= new
        for child in self._tables:
            for constraint in child.foreign_key_constraints:
                if constraint.referred_table is table:
                    self._follow(child, constraint, list(new))

    def add_where(self, column: Column[Any], values: Collection[Any]) -> None:
        """Add the rows with one of these values, for references without a foreign key."""
        if values:
            self.add(column.table, self._find(column.table, [column], [(value,) for value in values]))

    def keys(self, table: Table) -> set[Key]:
        """The primary keys of the rows of a table that will be deleted."""
        return set(self._keys.get(table, ()))

    def run(self) -> dict[str, int]:
        """Delete the rows. Returns the number of rows by table name."""
        for column, value, keys in self._changes:
            for condition in _conditions([column], keys):
                self._session.execute(update(column.table).where(condition).values({column.name: value}))
        numbers = {}
        for table in reversed(self._tables):
            if doomed := self._keys.get(table):
                for condition in _conditions(list(table.primary_key), list(doomed)):
                    self._session.execute(delete(table).where(condition))
                numbers[table.name] = len(doomed)
        return numbers

    def _follow(self, child: Table, constraint: ForeignKeyConstraint, keys: list[Key]) -> None:
        values = self._referred(constraint, keys)
        columns = list(constraint.columns)
        name = f"{child.name}.{columns[0].name}"
        if name in self._replaced or name in self._loosened:
            self._changes.append((columns[0], self._replaced.get(name), values))
        else:
            self.add(child, self._find(child, columns, values))

    def _referred(self, constraint: ForeignKeyConstraint, keys: list[Key]) -> list[Key]:
        """The values of the columns that a foreign key refers to, which need not be the primary key."""
        table = constraint.referred_table
        wanted = [element.column for element in constraint.elements]
        values: list[Key] = []
        for condition in _conditions(list(table.primary_key), keys):
            values += map(tuple, self._session.execute(select(*wanted).where(condition)).all())
        return values

    def _find(self, table: Table, columns: list[Column[Any]], values: list[Key]) -> Iterator[Key]:
        for condition in _conditions(columns, values):
            yield from map(tuple, self._session.execute(select(*table.primary_key).where(condition)).all())


def _conditions(columns: list[Column[Any]], keys: list[Key]) -> Iterator[Any]:
    """SQL conditions that the columns have one of these values, in chunks."""
    for start in range(0, len(keys), AT_A_TIME):
        part = keys[start : start + AT_A_TIME]
        yield tuple_(*columns).in_(part) if len(columns) > 1 else columns[0].in_([key[0] for key in part])
