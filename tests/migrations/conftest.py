"""The database for tests of migrations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, NullPool, create_engine, text

from notify.infra.parts import Parts


@pytest.fixture
def parts(own_parts: Parts) -> Parts:
    """Migrations change tables, and commit."""
    return own_parts


@pytest.fixture
def empty(parts: Parts) -> Iterator[Engine]:
    """A database of the same server with nothing in it."""
    server = parts.database.engine.url
    name = f"{server.database}_empty"
    admin = create_engine(server, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    # without FORCE, PostgreSQL itself ends an autovacuum worker that is at the database; with it, it may refuse to
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}"'))
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    engine = create_engine(server.set(database=name), poolclass=NullPool)
    yield engine
    with admin.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}"'))
