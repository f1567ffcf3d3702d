"""Real parts for tests: a PostgreSQL and a Valkey per test process, and a fresh, migrated database per test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from notify import migrate, settings
from notify import models as all_models
from notify.app import create_app
from notify.cli.demo import ensure_demo
from notify.infra.parts import Parts, build_parts
from notify.infra.postgres import start_postgres
from notify.infra.valkey import start_valkey
from tests.api import Api

assert all_models.metadata  # foreign keys name tables of other container

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


@contextmanager
def fresh_parts(postgres_url: str, valkey_url: str, folder: Path, **options: Any) -> Iterator[Parts]:
    """Parts on a database of their own, that holds only the built-in rows."""
    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres_url, dbname="postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE notify STRATEGY file_copy')
    before, _, query = postgres_url.partition("?")
    url = before.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")
    usual = {
        "notify_environment": "test",
        "sqlalchemy_database_uri": url,
        "redis_url": valkey_url,
        "notification_queue_prefix": f"{name}-{os.getpid()}-",
        "notify_data_dir": folder / "data",
    }
    parts = build_parts(settings.load(**(usual | options)))
    yield parts
    parts.close()
    with psycopg.connect(postgres_url, dbname="postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}"')


@pytest.fixture
def parts(postgres_url: str, valkey_url: str, tmp_path: Path) -> Iterator[Parts]:
    """The parts of a process, on a database that holds only the built-in rows."""
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
