"""What the tests of providers share: a PostgreSQL with our tables, and the way out."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from notify import migrate
from notify import models as all_models
from notify.infra.database import Database
from notify.infra.outbound import Outbound
from notify.infra.postgres import start_postgres

assert all_models.metadata  # foreign keys name tables of other container


@pytest.fixture(scope="session")
def outbound() -> Iterator[Outbound]:
    outbound = Outbound(connections=50)
    yield outbound
    outbound.close()


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    server = start_postgres(tmp_path_factory.mktemp("postgres"), durable=False)
    migrate.upgrade(server.url)
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def session_database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def database(session_database: Database) -> Iterator[Database]:
    """A database in which providers are as the migrations made them, and the sandbox's outbox is empty."""
    with session_database.transaction() as session:
        for table in ("provider_details", "provider_details_history"):
            session.execute(text(f"CREATE TABLE IF NOT EXISTS kept_{table} AS TABLE {table}"))
    yield session_database
    with session_database.transaction() as session:
        session.execute(text("TRUNCATE sandbox_messages"))
        for table in ("provider_details", "provider_details_history"):
            session.execute(text(f"DELETE FROM {table}"))  # noqa: S608
            session.execute(text(f"INSERT INTO {table} TABLE kept_{table}"))


@pytest.fixture
def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
