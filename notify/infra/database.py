"""PostgreSQL: one engine a process, sessions for clarity, raw psycopg connections for the hot paths."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, LiteralString

import psycopg
from sqlalchemy import DateTime, Engine, MetaData, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Session

from notify.infra import metrics

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Parent of every table's class. `datetime` columns are `timestamp with time zone`: aware UTC inside."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - declared so by SQLAlchemy


def driver_uri(uri: str) -> str:
    """The address as SQLAlchemy wants it: with psycopg 3 named as the driver."""
    for scheme in ("postgresql://", "postgres://"):
        if uri.startswith(scheme):
            return "postgresql+psycopg://" + uri.removeprefix(scheme)
    return uri


def read_scalar(uri: str, query: LiteralString, *, seconds: float) -> Any:
    """The first value of a query's first row, on a connection of its own that is given up after so many seconds. Raises
    `psycopg.Error`.
    """
    plain = uri.replace("postgresql+psycopg://", "postgresql://", 1)
    options = f"-c statement_timeout={int(seconds * 1000)}"
    with psycopg.connect(
        plain, autocommit=True, connect_timeout=max(int(seconds), 2), application_name="notify-check", options=options
    ) as connection:
        row = connection.execute(query).fetchone()
    return row[0] if row else None


def _count_connections(engine: Engine) -> None:
    bind = engine.url.database or ""
    event.listen(engine, "connect", lambda *_: metrics.connections(bind, 1))
    event.listen(engine, "close", lambda *_: metrics.connections(bind, -1))
    event.listen(engine, "close_detached", lambda *_: metrics.connections(bind, -1))
    event.listen(engine, "checkout", lambda *_: metrics.connections_in_use(bind, 1))
    event.listen(engine, "checkin", lambda *_: metrics.connections_in_use(bind, -1))


class Database:
    """The connections of one process to one PostgreSQL database."""

    def __init__(
        self,
        uri: str,
        *,
        pool_size: int = 8,
        max_overflow: int = 8,
        statement_timeout_ms: int = 0,
        application_name: str = "notify",
    ) -> None:
        self._uri = uri
        self.engine: Engine = create_engine(
            driver_uri(uri),
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_timeout=15,
            pool_recycle=3600,
            # after a restart of the server every kept connection is dead: check before use, reconnect silently
            pool_pre_ping=False,
            connect_args={
                "application_name": application_name,
                "options": f"-c statement_timeout={statement_timeout_ms} -c timezone=UTC",
                "connect_timeout": 10,
                "prepare_threshold": 2,
            },
        )
        _count_connections(self.engine)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session for reading: nothing is committed."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits when the block ends and rolls back when it raises."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A raw psycopg connection from the same pool, in a transaction that commits when the block ends.

        A connection that turns out to be dead is dropped from the pool together with its siblings, so that one restart
        of the server costs one error per process and not one per kept connection.
        """
        pooled = self.engine.raw_connection()
        connection: psycopg.Connection[tuple[Any, ...]] = pooled.driver_connection  # type: ignore[assignment]
        try:
            yield connection
            connection.commit()
        except psycopg.OperationalError as error:
            pooled.invalidate(error)
            self.engine.dispose()
            raise
        except BaseException:
            if connection.closed:
                pooled.invalidate()
            else:
                connection.rollback()
            raise
        finally:
            pooled.close()

    @contextmanager
    def autocommit(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """As `connection`, but each statement is a transaction of its own: fewer round trips for a single one."""
        with self.connection() as connection:
            connection.set_autocommit(True)
            try:
                yield connection
            finally:
                if not connection.closed:
                    connection.set_autocommit(False)

    def answers(self, seconds: float) -> bool:
        """Whether the database answers within so many seconds, on a connection of its own: that all of the pool are in
        use is no sign that it does not.
        """
        try:
            return bool(read_scalar(self._uri, "SELECT true", seconds=seconds))
        except psycopg.Error:
            return False

    def close(self) -> None:
        """Give every connection back to the server."""
        self.engine.dispose()
