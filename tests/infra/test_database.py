from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy.exc
from sqlalchemy import text

from notify.infra.database import Database, UnreachableError
from notify.infra.parts import Parts
from tests.servers.proxy import before_postgres

PID = "SELECT pg_backend_pid()"


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
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def test_nobody_sees_an_error_for_a_connection_that_ended_while_it_was_idle(parts: Parts, database: Database) -> None:
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


def test_an_unreachable_server_is_told_from_one_that_broke_off(parts: Parts) -> None:
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


def test_perseverance_outlasts_an_outage_and_nothing_else(parts: Parts) -> None:
    with before_postgres(parts.settings.sqlalchemy_database_uri) as (way, url):
        database = Database(url)
        calls = []

        def look() -> int:
            calls.append(1)
            if len(calls) == 4:
                way.proxy.mode = "forward"
            return pid(database)

        way.proxy.mode = "refuse"
        assert database.persevere(look)
        assert len(calls) == 4

        way.proxy.mode = "refuse"
        way.cut()
        with pytest.raises(UnreachableError):
            database.persevere(lambda: pid(database), seconds=0.2)
        way.proxy.mode = "forward"

        def ask_nonsense() -> None:
            calls.append(1)
            with database.session() as session:
                session.execute(text("SELECT nonsense"))

        calls.clear()
        with pytest.raises(sqlalchemy.exc.ProgrammingError):
            database.persevere(ask_nonsense)
        assert len(calls) == 1
        database.close()
