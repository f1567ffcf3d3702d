"""Fixtures for tests of letters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from notify.infra.container import Container
from notify.infra.parts import Parts
from tests.letters.rows import Letters
from tests.servers.dvla import DvlaServer


@pytest.fixture
def letters(parts: Parts) -> Letters:
    return Letters(parts)


@pytest.fixture
def container(parts: Parts) -> Iterator[Container]:
    container = Container(parts)
    yield container
    container._closing.close()


@pytest.fixture
def dvla() -> Iterator[DvlaServer]:
    with DvlaServer() as server:
        yield server
