"""PostgreSQL: one engine a process, sessions for clarity, raw psycopg connections for the hot paths."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final, LiteralString, TypeVar

import psycopg
import sqlalchemy.exc
import structlog
from sqlalchemy import DateTime, Engine, MetaData, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Session

from notify.infra import metrics

logger = structlog.get_logger(__name__)
R = TypeVar("R")

CONNECT_SECONDS: Final = 5
UNHEARD_SECONDS: Final = 20
"""What was sent and not acknowledged for so long: the server, or the way to it, is gone."""
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0

AWAY: Final = (psycopg.OperationalError, sqlalchemy.exc.OperationalError, sqlalchemy.exc.TimeoutError)
"""The server is away, or too busy; the same may work later."""


_SERVER_KEEPALIVES: Final = " ".join(
    f"-c tcp_keepalives_{name}={value}" for name, value in {"idle": 10, "interval": 5, "count": 3}.items()
)
"""The server notices, too, when the other side is gone: else the locks of a host that lost its power stay for hours."""


class UnreachableError(psycopg.OperationalError):
    """No connection could be made, so nothing was sent."""


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


def after_commit(session: Session, call: Callable[[], object]) -> None:
    """Have `call` run once the session's transaction is committed; not when it is rolled back. For what others see:
    tasks are published and caches emptied then. What it raises reaches whoever commits.
    """
    event.listen(session, "after_commit", lambda _session: call(), once=True)


class Database:
    """The connections of one process to one PostgreSQL database."""

    def __init__(
        self,
        uri: str,
        *,
        pool_size: int = 8,
        max_overflow: int = 8,
        statement_timeout_ms: int = 0,
        lock_timeout_ms: int = 0,
        application_name: str = "notify",
    ) -> None:
        self._uri = uri
        self.engine: Engine = create_engine(
            driver_uri(uri),
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_timeout=15,
            pool_recycle=3600,
            connect_args={
                "application_name": application_name,
                "options": f"-c statement_timeout={statement_timeout_ms} -c lock_timeout={lock_timeout_ms}"
                f" -c timezone=UTC {_SERVER_KEEPALIVES}",
                "connect_timeout": CONNECT_SECONDS,
                "keepalives_idle": 5,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": UNHEARD_SECONDS * 1000,
                "prepare_threshold": 2,
            },
        )
        event.listen(self.engine, "checkout", _refuse_hung_up)
        # a checkout that is refused happens once more: it must not be counted twice
        _count_connections(self.engine)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session for reading: nothing is committed."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session in a transaction that the server keeps read only."""
        with self.session() as session:
            session.connection(execution_options={"postgresql_readonly": True})
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits when the block ends and rolls back when it raises."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A raw psycopg connection from the same pool, in a transaction that commits when the block ends.

        Raises `UnreachableError` where there is none to be had. A connection that breaks is dropped from the pool
        together with its siblings: the server was restarted, and they are dead, too.
        """
        try:
            pooled = self.engine.raw_connection()
        except psycopg.OperationalError as error:
            raise UnreachableError(str(error)) from error
        connection: psycopg.Connection[tuple[Any, ...]] = pooled.driver_connection  # type: ignore[assignment]
        try:
            yield connection
            connection.commit()
        except BaseException as error:
            if not connection.closed:
                with suppress(psycopg.Error):
                    connection.rollback()
            if connection.closed:
                pooled.invalidate(error)
                self.engine.dispose()
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

    def persevere(self, call: Callable[[], R], *, seconds: float | None = None) -> R:
        """What `call` gives. While the server is away it is called again, for so many seconds, or for ever; it must be
        such that this does no harm. For workers: whoever waits for an answer is better told at once.
        """
        began, pause = time.monotonic(), FIRST_PAUSE
        while True:
            try:
                return call()
            except AWAY as error:
                if seconds is not None and time.monotonic() - began > seconds:
                    raise
                logger.warning("database failed", error=type(error).__name__, pause=pause)
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

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


def _refuse_hung_up(connection: psycopg.Connection[Any], _record: object, _pooled: object) -> None:
    """Called when a connection leaves the pool. A server that was restarted has hung up on all of them: a look at the
    socket, which takes microseconds, tells, and the pool makes a new one. Nobody gets an error for an old connection.
    """
    if not connection.closed:
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN)
        if not poller.poll(0):  # an idle session is never spoken to
            return
    raise sqlalchemy.exc.InvalidatePoolError
