"""Real parts for tests: a PostgreSQL and a Valkey per test process, with one migrated database for the tests of rules."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import hypothesis
import psycopg
import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

from notify import migrate, settings
from notify import models as all_models
from notify.app import create_app
from notify.cli.demo import ensure_demo
from notify.infra.database import Database, driver_uri
from notify.infra.parts import Parts, build_parts
from notify.infra.postgres import start_postgres
from notify.infra.valkey import start_valkey
from tests.api import Api
from tests.rolled_back import RolledBackDatabase

# no example is too slow: other tests may have the processors
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")
os.environ.setdefault("NOTIFY_ENVIRONMENT", "test")
for _name in ("MMG_URL", "FIRETEXT_URL", "SES_URL"):  # no test reaches a real provider
    os.environ.setdefault(_name, "http://127.0.0.1:9")

assert all_models.metadata  # foreign keys name tables of other rooms

_numbers = count()


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose database `notify` is migrated and otherwise left alone: tests get copies of it."""
    server = start_postgres(tmp_path_factory.mktemp("parts"), durable=False)
    migrate.upgrade(server.url)
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = start_valkey(tmp_path_factory.mktemp("valkey"), durable=False)
    yield server.url
    server.stop()


def copy_database(postgres_url: str, name: str) -> str:
    """The address of a new copy of the migrated database."""
    with psycopg.connect(postgres_url, dbname="postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE notify STRATEGY file_copy')
    before, _, query = postgres_url.partition("?")
    return before.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")


def _settings(database_url: str, valkey_url: str, folder: Path, **options: Any) -> settings.Settings:
    usual: dict[str, Any] = {
        "notify_environment": "test",
        "sqlalchemy_database_uri": database_url,
        "redis_url": valkey_url,
        "notification_queue_prefix": f"test-{next(_numbers)}-{os.getpid()}-",
        "notify_data_dir": folder / "data",
        "one_off_wait_ms": 0,  # nobody delivers
    }
    return settings.load(**(usual | options))


@contextmanager
def fresh_parts(postgres_url: str, valkey_url: str, folder: Path, **options: Any) -> Iterator[Parts]:
    """Parts on a separate database that holds only the built-in rows."""
    name = f"test_{next(_numbers)}"
    parts = build_parts(_settings(copy_database(postgres_url, name), valkey_url, folder, **options))
    yield parts
    parts.close()
    with psycopg.connect(postgres_url, dbname="postgres", autocommit=True) as connection:
        _drop(connection, name)


def _drop(connection: psycopg.Connection, name: str) -> None:
    """Drop a database: a session that a test left open is ended, and autovacuum may be in it for a moment."""
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = current_user", (name,)
    )
    for attempt in range(3):
        try:
            connection.execute(f'DROP DATABASE "{name}"')
        except psycopg.errors.ObjectInUse:  # after five seconds
            if attempt == 2:
                raise
        else:
            return


@pytest.fixture(scope="session")
def shared_engine(postgres_url: str) -> Iterator[Engine]:
    """The database that all tests of rules use, one after the other: none of them commits. Further connections, which
    would, can only read.
    """
    uri = copy_database(postgres_url, "shared")
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute("ALTER DATABASE shared SET default_transaction_read_only = on")
    options = "-c timezone=UTC -c default_transaction_read_only=off"
    engine = create_engine(driver_uri(uri), connect_args={"options": options})
    yield engine
    engine.dispose()


@pytest.fixture
def database(shared_engine: Engine) -> Iterator[Database]:
    """A database with the built-in rows. What the test writes is rolled back at its end."""
    uri = shared_engine.url.render_as_string(hide_password=False)
    with shared_engine.connect() as connection, connection.begin() as outer:
        database = RolledBackDatabase(uri, connection)
        yield database
        database.close()
        database.check()
        outer.rollback()


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A session for the test of a rule. What it writes is rolled back at the end."""
    with database.session() as session:
        yield session


@pytest.fixture
def parts(database: Database, valkey_url: str, tmp_path: Path) -> Iterator[Parts]:
    """The parts of a process. What the test writes to the database is rolled back at its end, and no other process nor
    another connection sees it.
    """
    uri = database.engine.url.render_as_string(hide_password=False)
    parts = build_parts(_settings(uri, valkey_url, tmp_path))
    yield dataclasses.replace(parts, database=database)
    parts.close()


@pytest.fixture
def own_parts(postgres_url: str, valkey_url: str, tmp_path: Path) -> Iterator[Parts]:
    """The parts of a process on a separate database: for concurrency, real commits and tests with other processes."""
    with fresh_parts(postgres_url, valkey_url, tmp_path) as parts:
        yield parts


@pytest.fixture
def unused_parts(tmp_path: Path) -> Iterator[Parts]:
    """The parts of a process that never connects to anything."""
    given = settings.load(
        sqlalchemy_database_uri="postgresql://127.0.0.1:9/none",
        redis_url="redis://127.0.0.1:9/0",
        notify_environment="test",
        notify_data_dir=tmp_path,
    )
    parts = build_parts(given)
    yield parts
    parts.close()


@pytest.fixture(scope="module")
def api(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """The web application with a demo service, for the tests of one module."""
    folder = tmp_path_factory.mktemp("world")
    with fresh_parts(
        postgres_url, valkey_url, folder, sandbox_url="http://127.0.0.1:9", notify_log_level="WARNING"
    ) as parts:
        demo = ensure_demo(parts, folder / "dev.json")
        app = create_app(parts.settings)
        yield Api(app, parts, app.extensions["notify"], demo)
        app.extensions["notify"].close()
