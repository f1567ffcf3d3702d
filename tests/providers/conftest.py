"""Fixtures for tests of providers: a PostgreSQL with our tables, and the HTTP client."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from notify.infra.database import Database
from notify.infra.outbound import Outbound
from tests.conftest import copy_database


@pytest.fixture(scope="session")
def outbound() -> Iterator[Outbound]:
    outbound = Outbound(connections=50)
    yield outbound
    outbound.close()


@pytest.fixture(scope="session")
def database_url(postgres_url: str) -> str:
    """A database that all tests of providers share: servers and threads connect to it, so tests commit."""
    return copy_database(postgres_url, "providers")


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
