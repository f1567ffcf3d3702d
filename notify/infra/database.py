"""PostgreSQL: one engine a process, sessions for clarity, raw psycopg connections for the hot paths."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final, LiteralString
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import psycopg
import sqlalchemy.exc
import structlog
from sqlalchemy import DateTime, Engine, ExceptionContext, MetaData, create_engine, event
from sqlalchemy.orm import DeclarativeBase, Session

from notify.infra import metrics

logger = structlog.get_logger(__name__)

CONNECT_SECONDS: Final = 5
UNHEARD_SECONDS: Final = 20
"""What was sent and not acknowledged for so long: the server, or the way to it, is gone."""

_PASSING_CLASSES: Final = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""Classes of SQLSTATE that tell of the server, or of others that use it, and not of the statement: no connection, wrong
state of a transaction, conflict, out of resources, object in use, stopped by an operator, system error.
"""
READ_ONLY: Final = "25006"
"""SQLSTATE of a write on a server that only reads: a standby, or a primary that was demoted."""

_SESSION_OPTIONS: Final[dict[str, str | int]] = {
    # the server notices, too, when the other side is gone: else the locks of a host without power stay for hours
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
    # the server's own limit must not end a transaction that holds the locks of messages
    "idle_in_transaction_session_timeout": 0,
}


class UnreachableError(psycopg.OperationalError):
    """No connection could be made, so nothing was sent."""


def is_unavailable(error: Exception) -> bool:
    """Whether an error tells of the database rather than of what was asked: the server is away, only reads, is too
    busy, or ended the statement. The same may work later, perhaps on another server.
    """
    if isinstance(error, sqlalchemy.exc.TimeoutError):  # every connection of the pool is in use
        return True
    original = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    if not isinstance(original, psycopg.Error):
        return False
    if original.sqlstate is None:
        return isinstance(original, psycopg.OperationalError | psycopg.InterfaceError)
    return original.sqlstate[:2] in _PASSING_CLASSES


def is_wrong_server(error: BaseException | None) -> bool:
    """Whether a server refused to write: what is wanted is another one."""
    return isinstance(error, psycopg.Error) and error.sqlstate == READ_ONLY


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
    """The address as SQLAlchemy wants it: with psycopg 3 named as the driver. Where it names several hosts
    (`postgresql://user@one:5432,two:5432/notify`), the one that takes writes is chosen.
    """
    for scheme in ("postgresql://", "postgres://"):
        if uri.startswith(scheme):
            uri = "postgresql+psycopg://" + uri.removeprefix(scheme)
    parts = urlsplit(uri)
    user, at, hosts = parts.netloc.rpartition("@")
    if "," not in hosts:
        return uri
    query = parse_qsl(parts.query) + [("host", host) for host in hosts.split(",")]
    if not any(name == "target_session_attrs" for name, _ in query):
        query.append(("target_session_attrs", "read-write"))
    # SQLAlchemy takes several hosts from the query only
    return urlunsplit(parts._replace(netloc=user + at, query=urlencode(query, quote_via=quote)))


def read_scalar(uri: str, query: LiteralString, *, seconds: float, writable: bool = False) -> Any:
    """The first value of a query's first row, on a separate connection that is given up after so many seconds. Of
    several hosts, `writable` asks the one that takes writes. Raises `psycopg.Error`.
    """
    plain = uri.replace("postgresql+psycopg://", "postgresql://", 1)
    arguments: dict[str, Any] = {"connect_timeout": max(int(seconds), 2), "application_name": "notify-check"}
    if writable and "," in urlsplit(plain).netloc and "target_session_attrs" not in plain:
        arguments["target_session_attrs"] = "read-write"
    with psycopg.connect(plain, **arguments) as connection:
        # not among the options of the connection, which a pooler may refuse
        connection.execute("SELECT set_config('statement_timeout', %s, true)", (str(int(seconds * 1000)),))
        row = connection.execute(query).fetchone()
    return row[0] if row else None


_TAKES_WRITES: Final = "SELECT NOT current_setting('transaction_read_only')::boolean"
_SET_LIMITS: Final = """
SELECT set_config('statement_timeout', %(statement_timeout)s, true), set_config('lock_timeout', %(lock_timeout)s, true)
"""


def _count_connections(engine: Engine) -> None:
    bind = engine.url.database or ""
    event.listen(engine, "connect", lambda *_: metrics.connections(bind, 1))
    event.listen(engine, "close", lambda *_: metrics.connections(bind, -1))
    event.listen(engine, "close_detached", lambda *_: metrics.connections(bind, -1))
    event.listen(engine, "checkout", lambda *_: metrics.connections_in_use(bind, 1))
    event.listen(engine, "checkin", lambda *_: metrics.connections_in_use(bind, -1))


def after_commit(session: Session, call: Callable[[], object]) -> None:
    """Have `call` run once the session's transaction is committed; not when it is rolled back. For what others see:
    tasks are published and caches emptied then. What it raises reaches the code that commits.
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
        pooled: bool = False,
    ) -> None:
        """`statement_timeout_ms` and `lock_timeout_ms`: the longest that a statement may run, and may wait for a lock;
        0 is without limit. `pooled`: a pooler in transaction mode (PgBouncer) stands between, so that nothing may be
        left in a session beyond the end of a transaction.
        """
        self._uri = uri
        self._pooled = pooled
        self._limits = {"statement_timeout": str(statement_timeout_ms), "lock_timeout": str(lock_timeout_ms)}
        options = {"timezone": "UTC", **self._limits, **_SESSION_OPTIONS}
        self.engine: Engine = create_engine(
            driver_uri(uri),
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_timeout=15,
            pool_recycle=3600,
            connect_args={
                **({} if pooled else {"options": " ".join(f"-c {name}={value}" for name, value in options.items())}),
                "application_name": application_name,
                "connect_timeout": CONNECT_SECONDS,
                "keepalives_idle": 5,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": UNHEARD_SECONDS * 1000,
                "prepare_threshold": None if pooled else 2,
            },
        )
        event.listen(self.engine, "checkout", _refuse_hung_up)
        event.listen(self.engine, "handle_error", _drop_wrong_server)
        if pooled:
            event.listen(self.engine, "connect", _set_time_zone)
            event.listen(self.engine, "begin", lambda connection: self._limit(connection.connection))
        # a checkout that is refused happens once more: it must not be counted twice
        _count_connections(self.engine)

    def _limit(self, connection: Any) -> None:
        """Set the time limits of one transaction, where they cannot be options of the session."""
        with connection.cursor() as cursor:
            cursor.execute(_SET_LIMITS, self._limits)

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

        Raises `UnreachableError` where none can be made. A connection that breaks, or whose server only reads, is
        dropped from the pool together with the others: they lead to the same server.
        """
        try:
            pooled = self.engine.raw_connection()
        except psycopg.OperationalError as error:
            raise UnreachableError(str(error)) from error
        connection: psycopg.Connection[tuple[Any, ...]] = pooled.driver_connection  # type: ignore[assignment]
        try:
            if self._pooled and not connection.autocommit:
                self._limit(connection)
            yield connection
            connection.commit()
        except BaseException as error:
            if not connection.closed:
                with suppress(psycopg.Error):
                    connection.rollback()
            if connection.closed or is_wrong_server(error):
                pooled.invalidate(error)
                self.engine.dispose()
            raise
        finally:
            pooled.close()

    @contextmanager
    def autocommit(self) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """As `connection`, but each statement is its own transaction: fewer round trips for a single one. (Behind a
        pooler it is one transaction all the same, for its time limits.)
        """
        with self.connection() as connection:
            if self._pooled:
                yield connection
                return
            connection.set_autocommit(True)
            try:
                yield connection
            finally:
                if not connection.closed:
                    connection.set_autocommit(False)

    def answers(self, seconds: float) -> bool:
        """Whether the database answers within so many seconds, and takes writes. This uses a separate connection: that
        all of the pool are in use is no sign that it does not.
        """
        try:
            return bool(read_scalar(self._uri, _TAKES_WRITES, seconds=seconds, writable=True))
        except psycopg.Error:
            return False

    def close(self) -> None:
        """Give every connection back to the server."""
        self.engine.dispose()


def is_hung_up(connection: psycopg.Connection[Any]) -> bool:
    """Whether the other side has ended an idle connection. A look at the socket, which takes microseconds."""
    if connection.closed:
        return True
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return bool(poller.poll(0))  # an idle session is never spoken to


def _refuse_hung_up(connection: psycopg.Connection[Any], _record: object, _pooled: object) -> None:
    """Called when a connection leaves the pool. A server that was restarted has hung up on all of them: the pool makes
    new ones, and nobody gets an error for an old one.
    """
    if is_hung_up(connection):
        raise sqlalchemy.exc.InvalidatePoolError


def _drop_wrong_server(context: ExceptionContext) -> None:
    """Called with each error of a session. A server that only reads is as good as gone: the pool makes new connections,
    which may lead to another.
    """
    if is_wrong_server(context.original_exception):
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = True


def _set_time_zone(connection: psycopg.Connection[Any], _record: object) -> None:
    """Called with each new connection to a pooler, which keeps this one setting for us."""
    connection.autocommit = True
    connection.execute("SET timezone = 'UTC'")
    connection.autocommit = False
