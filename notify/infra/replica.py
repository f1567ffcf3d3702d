"""The database for big reads: a read replica if there is one, else the primary (contract: internal-jobs 0.4)."""

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
"""A read-only session for reports and big lists. The newest changes on the primary may be missing."""

TRIES: Final = 3


class OpenRows(Generic[R]):
    """Rows that are read lazily, in a transaction that stays open until `close`."""

    def __init__(self, rows: Iterator[R], transaction: ExitStack) -> None:
        self._rows = rows
        self._transaction = transaction

    def __iter__(self) -> Iterator[R]:
        return self._rows

    def close(self) -> None:
        """End the transaction. Safe to call again."""
        self._transaction.close()


class Replica:
    """Reads from the replica, and closes its connections at the end."""

    def __init__(self, database: Database, *, is_own: bool) -> None:
        """`is_own`: only this object uses the database, so `close` closes it."""
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
        """The result of `call`, which is repeated up to twice if the connection fails."""
        for left in range(TRIES - 1, -1, -1):
            try:
                with self._database.reading() as session:
                    return call(BulkSession(session))
            except OperationalError as error:
                if not left:
                    raise
                logger.warning("replica failed", error=type(error).__name__, tries_left=left)
        raise AssertionError  # the last attempt returns or raises

    def read_rows(self, call: Callable[[BulkSession], Iterator[R]]) -> OpenRows[R]:
        """The rows of `call`, which is repeated up to twice if the connection fails before the first row. The caller
        must close them.
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
        raise AssertionError  # the last attempt returns or raises

    def close(self) -> None:
        """Close the connections."""
        if self._is_own:
            self._database.close()
