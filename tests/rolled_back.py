"""A database whose transactions all happen inside one, which is rolled back at the end of a test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from notify.infra.database import Database

WAIT_SECONDS = 30


class RolledBackDatabase(Database):
    """Hands out one connection, in a transaction that is open already. Each session and each use of a raw connection is a
    savepoint of it: rolled back where it raises, visible to the next one where it does not.

    Threads take turns, so this is for rules. What needs several connections, real commits or another process takes the
    fixture `own_parts` instead.
    """

    def __init__(self, uri: str, connection: Connection) -> None:
        super().__init__(uri)
        connection.execute(text("SELECT 1"))  # the driver begins with the first statement: what follows are savepoints
        self._shared = connection
        self._turn = RLock()

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        if not self._turn.acquire(timeout=WAIT_SECONDS):
            raise AssertionError("two threads use the database at the same time: this test needs `own_parts`")
        try:
            self.check()
            yield
        finally:
            self._turn.release()

    def check(self) -> None:
        """Raise `AssertionError` when something ended the transaction around the test: its writes would stay."""
        driver: Any = self._shared.connection.driver_connection
        if driver.info.transaction_status == TransactionStatus.IDLE:
            raise AssertionError("the transaction of the test has ended: this test needs `own_parts`")

    def _new_session(self) -> Session:
        return Session(self._shared, expire_on_commit=False, join_transaction_mode="create_savepoint")

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self._one_at_a_time(), self._new_session() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.session() as session:
            # it ends with the savepoint
            session.execute(text("SET TRANSACTION READ ONLY"))
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        with self._one_at_a_time(), self._new_session() as session, session.begin():
            yield session

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        connection: psycopg.Connection[tuple[Any, ...]] = self._shared.connection.driver_connection  # type: ignore[assignment]
        with self._one_at_a_time(), connection.transaction():
            yield connection

    @contextmanager
    def autocommit(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        with self.connection() as connection:
            yield connection
