"""PostgreSQL: one engine per process, ORM sessions by default, raw psycopg connections on the hot paths."""

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
"""If sent data is not acknowledged for this long, the server or the network is down."""

_PASSING_CLASSES: Final = frozenset({"08", "25", "40", "53", "55", "57", "58"})
"""SQLSTATE classes of errors caused by the server or its other clients, not by the statement: no connection, invalid
transaction state, conflict, out of resources, object in use, operator intervention, system error.
"""
READ_ONLY: Final = "25006"
"""SQLSTATE of a write on a server that only reads: a standby, or a primary that was demoted."""

_SESSION_OPTIONS: Final[dict[str, str | int]] = {
    # lets the server notice when we are gone: else the locks of a host that lost power stay for hours
    "tcp_keepalives_idle": 10,
    "tcp_keepalives_interval": 5,
    "tcp_keepalives_count": 3,
    # the server's own timeout must not end a transaction that holds the locks of messages
    "idle_in_transaction_session_timeout": 0,
}


class UnreachableError(psycopg.OperationalError):
    """No connection could be made, so nothing was sent."""


def is_unavailable(error: Exception) -> bool:
    """Whether an error is caused by the database and not by the statement: the server is unreachable, read-only, too
    busy, or ended the statement. The same statement may succeed later, perhaps on another server.
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
    """Whether a server refused to write, so that we need another one."""
    return isinstance(error, psycopg.Error) and error.sqlstate == READ_ONLY


NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base class of every table. `datetime` columns are `timestamp with time zone`: aware UTC inside."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012 - declared so by SQLAlchemy


def driver_uri(uri: str) -> str:
    """The address for SQLAlchemy, with psycopg 3 as the driver. Of several hosts
    (`postgresql://user@one:5432,two:5432/notify`), the one that accepts writes is chosen.
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
    """The first value of a query's first row, on a separate connection with a timeout of `seconds`. `writable`: of
    several hosts, use the one that accepts writes. Raises `psycopg.Error`.
    """
    plain = uri.replace("postgresql+psycopg://", "postgresql://", 1)
    arguments: dict[str, Any] = {"connect_timeout": max(int(seconds), 2), "application_name": "notify-check"}
    if writable and "," in urlsplit(plain).netloc and "target_session_attrs" not in plain:
        arguments["target_session_attrs"] = "read-write"
    with psycopg.connect(plain, **arguments) as connection:
        # not as a connection option, which a pooler may refuse
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
    """Run `call` after the session's transaction has committed, but not after a rollback. For effects that others see,
    such as publishing tasks and clearing caches. Its errors reach the code that commits.
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
        0 is no limit. `pooled`: connections go through a pooler in transaction mode (PgBouncer), so that no session
        state may outlive a transaction.
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
        # a refused checkout is repeated, and must not be counted twice
        _count_connections(self.engine)

    def _limit(self, connection: Any) -> None:
        """Set the timeouts of one transaction, where they cannot be session options."""
        with connection.cursor() as cursor:
            cursor.execute(_SET_LIMITS, self._limits)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session for reading: nothing is committed."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session in a read-only transaction."""
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

        Raises `UnreachableError` if none can be made. If a connection breaks, or its server is read-only, all
        connections of the pool are dropped, because they lead to the same server.
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
        """As `connection`, but each statement is its own transaction, which saves round trips. (Behind a pooler it is
        one transaction, because of the timeouts.)
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

    def execute_in_batches(self, statement: LiteralString, before: datetime, size: int) -> int:
        """Run a statement with the parameters `before` and `size`, which changes at most `size` rows, each time in a
        transaction of its own, until it changes fewer. Returns the number of rows. If it is interrupted, the next call
        does the rest.
        """
        total, changed = 0, size
        while changed == size:
            with self.connection() as connection:
                changed = connection.execute(statement, (before, size)).rowcount
            total += changed
        return total

    def answers(self, seconds: float) -> bool:
        """Whether the database answers within `seconds`, and accepts writes. Uses a separate connection: the database
        may be well although the whole pool is in use.
        """
        try:
            return bool(read_scalar(self._uri, _TAKES_WRITES, seconds=seconds, writable=True))
        except psycopg.Error:
            return False

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def is_hung_up(connection: psycopg.Connection[Any]) -> bool:
    """Whether the server has closed an idle connection. Polls the socket, which takes microseconds."""
    if connection.closed:
        return True
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return bool(poller.poll(0))  # the server sends nothing to an idle session


def _refuse_hung_up(connection: psycopg.Connection[Any], _record: object, _pooled: object) -> None:
    """Called at each checkout. A server that was restarted has closed all connections of the pool, which then makes new
    ones, so that no caller gets an error from a closed one.
    """
    if is_hung_up(connection):
        raise sqlalchemy.exc.InvalidatePoolError


def _drop_wrong_server(context: ExceptionContext) -> None:
    """Called with each error of a session. A read-only server counts as gone: the pool makes new connections, which may
    lead to another server.
    """
    if is_wrong_server(context.original_exception):
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = True


def _set_time_zone(connection: psycopg.Connection[Any], _record: object) -> None:
    """Called with each new connection to a pooler, which keeps this one setting for us."""
    connection.autocommit = True
    connection.execute("SET timezone = 'UTC'")
    connection.autocommit = False
