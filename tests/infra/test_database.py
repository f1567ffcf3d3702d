from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import psycopg.conninfo
import psycopg.sql
import pytest
import sqlalchemy.exc
from sqlalchemy import text

from notify.infra.database import Database, UnreachableError, driver_uri, is_unavailable
from notify.infra.parts import Parts
from notify.infra.retrying import retry
from tests.servers.proxy import before_postgres

PID = "SELECT pg_backend_pid()"


@pytest.fixture
def parts(own_parts: Parts) -> Parts:
    """These tests are about connections."""
    return own_parts


@pytest.fixture
def database(parts: Parts) -> Iterator[Database]:
    database = Database(parts.settings.sqlalchemy_database_uri, statement_timeout_ms=5000)
    yield database
    database.close()


def pid(database: Database) -> int:
    with database.connection() as connection:
        row = connection.execute(PID).fetchone()
    assert row is not None
    return int(row[0])


def end_sessions(url: str) -> None:
    """End all other sessions, as a restart of the server does."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def test_a_connection_that_ended_while_it_was_idle_causes_no_error(parts: Parts, database: Database) -> None:
    first = pid(database)
    end_sessions(parts.settings.sqlalchemy_database_uri)
    with database.session() as session:
        second = session.scalar(text(PID))
    assert second != first
    end_sessions(parts.settings.sqlalchemy_database_uri)
    assert pid(database) != second


def test_a_statement_that_was_cancelled_costs_no_connection(database: Database) -> None:
    first = pid(database)

    def take_too_long() -> None:
        with database.connection() as connection:
            connection.execute("SET LOCAL statement_timeout = 1")
            connection.execute("SELECT pg_sleep(5)")

    with pytest.raises(psycopg.errors.QueryCanceled):
        take_too_long()
    assert pid(database) == first


def test_a_connection_that_breaks_in_use_is_not_given_to_the_next(parts: Parts, database: Database) -> None:
    def lose() -> None:
        with database.connection() as connection:
            end_sessions(parts.settings.sqlalchemy_database_uri)
            connection.execute("SELECT 1")

    with pytest.raises(psycopg.OperationalError):
        lose()
    assert pid(database)


def test_an_unreachable_server_is_distinguished_from_a_broken_connection(parts: Parts) -> None:
    with before_postgres(parts.settings.sqlalchemy_database_uri) as (way, url):
        database = Database(url)
        assert pid(database)
        way.proxy.mode = "refuse"
        way.cut()
        with pytest.raises(UnreachableError), database.connection():
            pass
        assert not database.answers(2)
        way.proxy.mode = "forward"
        assert database.answers(2)
        database.close()


def test_retrying_outlasts_an_outage_and_nothing_else(parts: Parts) -> None:
    with before_postgres(parts.settings.sqlalchemy_database_uri) as (way, url):
        database = Database(url)
        calls = []

        def look() -> int:
            calls.append(1)
            if len(calls) == 4:
                way.proxy.mode = "forward"
            return pid(database)

        way.proxy.mode = "refuse"
        assert retry(look, on=is_unavailable)
        assert len(calls) == 4

        way.proxy.mode = "refuse"
        way.cut()
        with pytest.raises(UnreachableError):
            retry(lambda: pid(database), on=is_unavailable, seconds=0.2)
        way.proxy.mode = "forward"

        def ask_nonsense() -> None:
            calls.append(1)
            with database.session() as session:
                session.execute(text("SELECT nonsense"))

        calls.clear()
        with pytest.raises(sqlalchemy.exc.ProgrammingError):
            retry(ask_nonsense, on=is_unavailable)
        assert len(calls) == 1
        database.close()


@contextmanager
def read_only(url: str) -> Iterator[None]:
    """The database as a client finds it that was led to a standby: every session of it ended, new ones only read."""
    with psycopg.connect(url, dbname="postgres", autocommit=True) as connection:
        name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
        database = psycopg.sql.Identifier(str(name))
        connection.execute(psycopg.sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(database))
        end_sessions(url)
        yield
        connection.execute(psycopg.sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(database))


def write(database: Database) -> None:
    with database.connection() as connection:
        connection.execute("UPDATE services SET active = active")


def write_by_session(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE services SET active = active"))


@pytest.mark.parametrize("how", [write, write_by_session])
def test_after_a_failover_no_connection_stays_with_the_read_only_server(
    parts: Parts, database: Database, how: Callable[[Database], None]
) -> None:
    how(database)
    assert database.answers(2)
    with read_only(parts.settings.sqlalchemy_database_uri):
        for _ in range(3):
            with pytest.raises((psycopg.errors.ReadOnlySqlTransaction, sqlalchemy.exc.InternalError)) as caught:
                how(database)
            assert is_unavailable(caught.value)
        assert not database.answers(2)
    how(database)
    assert database.answers(2)


def test_limits_of_time_are_those_that_were_given(parts: Parts) -> None:
    database = Database(parts.settings.sqlalchemy_database_uri, statement_timeout_ms=1234, lock_timeout_ms=567)
    with database.connection() as connection:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        row = connection.execute("SELECT " + ", ".join(f"current_setting('{name}')" for name in names)).fetchone()
    assert row == ("1234ms", "567ms", "0")
    database.close()


@pytest.mark.parametrize(
    ("uri", "wanted"),
    [
        ("postgresql://me@one/notify", "postgresql+psycopg://me@one/notify"),
        (
            "postgresql://me:p%40ss@one:5432,two:5433/notify?sslmode=require",
            "postgresql+psycopg://me:p%40ss@/notify?sslmode=require&host=one%3A5432&host=two%3A5433"
            "&target_session_attrs=read-write",
        ),
        (
            "postgres://me@one,two/notify?target_session_attrs=primary",
            "postgresql+psycopg://me@/notify?target_session_attrs=primary&host=one&host=two",
        ),
    ],
)
def test_of_several_hosts_the_one_that_writes_is_chosen(uri: str, wanted: str) -> None:
    assert driver_uri(uri) == wanted


def test_of_several_hosts_one_that_is_down_is_passed_over(parts: Parts) -> None:
    with before_postgres(parts.settings.sqlalchemy_database_uri) as (_way, url):
        way = urlsplit(url)
        several = urlunsplit(way._replace(netloc=f"{way.username}@127.0.0.1:9,127.0.0.1:{way.port}"))
        database = Database(several)
        assert pid(database)
        assert database.answers(2)
        database.close()
