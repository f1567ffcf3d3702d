"""The environment of commands under test."""

from __future__ import annotations

from pathlib import Path

import pytest

from notify.infra.parts import Parts


@pytest.fixture
def terminal(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a terminal that works on the database of the test."""
    uri = parts.database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("SQLALCHEMY_DATABASE_URI", uri)
    monkeypatch.setenv("REDIS_URL", parts.settings.redis_url)
    monkeypatch.setenv("NOTIFY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("NOTIFY_ENVIRONMENT", "test")


@pytest.fixture
def parts(own_parts: Parts) -> Parts:
    """Commands are processes, or build their own parts from the environment."""
    return own_parts
