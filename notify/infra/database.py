"""PostgreSQL: one engine a process, sessions for clarity, raw psycopg connections for the hot paths."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import psycopg
from sqlalchemy import DateTime, Engine, MetaData, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session

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

    def is_ready(self) -> bool:
        """Whether the database answers."""
        try:
            with self.connection() as connection:
                connection.execute("SELECT 1")
        except (psycopg.Error, OperationalError):
            return False
        return True

    def close(self) -> None:
        """Give every connection back to the server."""
        self.engine.dispose()
