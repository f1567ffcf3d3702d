"""The database of big reads: a read replica where there is one, else the primary (contract: internal-jobs 0.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import chain
from typing import Final, Generic, NewType, Self, TypeVar

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.database import Database

logger = structlog.get_logger(__name__)
R = TypeVar("R")

BulkSession = NewType("BulkSession", Session)
"""A read only session for reports and big lists. What the primary was given a moment ago may be missing in it."""

TRIES: Final = 3


class OpenRows(Generic[R]):
    """Rows that are read as they are asked for, in a transaction that stays open until `close`."""

    def __init__(self, rows: Iterator[R], transaction: ExitStack) -> None:
        self._rows = rows
        self._transaction = transaction

    def __iter__(self) -> Iterator[R]:
        return self._rows

    def close(self) -> None:
        """End the transaction. May be called again."""
        self._transaction.close()


class Replica:
    """Reads from the replica, and closes its connections at the end."""

    def __init__(self, database: Database, *, is_own: bool) -> None:
        """`is_own`: the database is nobody else's, so it is closed here."""
        self._database = database
        self._is_own = is_own

    @classmethod
    def build(cls, container: Container) -> Self:
        """The replica of a process; nothing connects before it is used."""
        settings = container.parts.settings
        if not settings.sqlalchemy_database_uri_bulk:
            return cls(container.parts.database, is_own=False)
        database = Database(
            settings.sqlalchemy_database_uri_bulk,
            pool_size=settings.sqlalchemy_pool_size,
            max_overflow=settings.sqlalchemy_max_overflow,
            statement_timeout_ms=settings.database_statement_timeout_ms,
            application_name=f"notify-{settings.notify_app_name}-bulk",
        )
        return cls(database, is_own=True)

    def read(self, call: Callable[[BulkSession], R]) -> R:
        """What `call` gives; it is called up to twice more where the connection fails."""
        for left in range(TRIES - 1, -1, -1):
            try:
                with self._database.reading() as session:
                    return call(BulkSession(session))
            except OperationalError as error:
                if not left:
                    raise
                logger.warning("replica failed", error=type(error).__name__, tries_left=left)
        raise AssertionError  # the last try gives something or raises

    def read_rows(self, call: Callable[[BulkSession], Iterator[R]]) -> OpenRows[R]:
        """The rows that `call` gives, one after the other. It is called up to twice more where the connection fails
        before the first one is there. The caller closes them.
        """
        for left in range(TRIES - 1, -1, -1):
            with ExitStack() as transaction:
                try:
                    session = transaction.enter_context(self._database.reading())
                    rows = iter(call(BulkSession(session)))
                    first = [row for row in (next(rows, None),) if row is not None]
                except OperationalError as error:
                    if not left:
                        raise
                    logger.warning("replica failed", error=type(error).__name__, tries_left=left)
                    continue
                return OpenRows(chain(first, rows), transaction.pop_all())
        raise AssertionError  # the last try gives something or raises

    def close(self) -> None:
        """Give the connections back."""
        if self._is_own:
            self._database.close()
