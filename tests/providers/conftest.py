"""What the tests of providers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from notify.infra.outbound import Outbound


@pytest.fixture(scope="session")
def outbound() -> Iterator[Outbound]:
    outbound = Outbound(connections=50)
    yield outbound
    outbound.close()
