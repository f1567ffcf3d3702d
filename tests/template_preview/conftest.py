"""The template preview service as the admin app calls it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from notify.app import EXTENSION, create_app
from tests.conftest import fresh_parts

SECRETS = ["my-secret-key", "my-secret-key2"]


class Preview:
    """Calls the service with a secret."""

    def __init__(self, client: FlaskClient) -> None:
        self._client = client

    def call(
        self, method: str, path: str, authorization: str | None = f"Token {SECRETS[0]}", **given: Any
    ) -> TestResponse:
        """One request; the answer whatever its status."""
        headers = {"Authorization": authorization} if authorization else {}
        return self._client.open(f"/template-preview{path}", method=method, headers=headers, **given)

    def post(self, path: str, **given: Any) -> TestResponse:
        """As `call`."""
        return self.call("POST", path, **given)


@pytest.fixture(scope="session")
def preview_app(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    folder = tmp_path_factory.mktemp("objects")
    changes: dict[str, Any] = {"notify_log_level": "WARNING", "template_preview_internal_secrets": SECRETS}
    with fresh_parts(postgres_url, valkey_url, folder, **changes) as parts:
        app = create_app(parts.settings)
        yield app
        app.extensions[EXTENSION].close()


@pytest.fixture(scope="session")
def preview(preview_app: Flask) -> Preview:
    return Preview(preview_app.test_client())
