"""One application a process for the tests of the internal API; every test makes its own users and services."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from notify.app import EXTENSION, create_app
from notify.infra.parts import Parts
from notify.services.models import Service
from tests.conftest import fresh_parts
from tests.internal.admin import AdminClient, Factory


@pytest.fixture(scope="session")
def internal_parts(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    folder = tmp_path_factory.mktemp("internal")
    with fresh_parts(
        postgres_url,
        valkey_url,
        folder,
        notify_log_level="WARNING",
        register_functional_testing_blueprint=True,
    ) as parts:
        yield parts


@pytest.fixture(scope="session")
def internal_app(internal_parts: Parts) -> Iterator[Flask]:
    """The application that serves both APIs."""
    app = create_app(internal_parts.settings)
    yield app
    app.extensions[EXTENSION].close()


@pytest.fixture(scope="session")
def admin(internal_app: Flask, internal_parts: Parts) -> AdminClient:
    """Calls as the admin app does: `admin.get(path)`, `admin.post(path, body, status=201)`."""
    return AdminClient(internal_app, internal_parts)


@pytest.fixture(scope="session")
def factory(internal_parts: Parts) -> Factory:
    """Makes users, services, templates and organisations."""
    return Factory(internal_parts)


@pytest.fixture
def service(factory: Factory) -> Service:
    """A new service in trial mode."""
    return factory.service()
