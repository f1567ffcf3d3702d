"""The checks of files as the admin app calls them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from notify.app import EXTENSION, create_app
from tests.conftest import fresh_parts


@pytest.fixture(scope="session")
def checks_app(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("objects")
    with fresh_parts(postgres_url, valkey_url, folder, notify_log_level="WARNING") as parts:
        app = create_app(parts.settings)
        yield app
        app.extensions[EXTENSION].close()
