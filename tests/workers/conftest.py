"""Fixtures: the publishing side of a broker, and workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from notify.app import create_app
from notify.cli.demo import ensure_demo
from tests.api import Api
from tests.conftest import fresh_parts
from tests.servers.mmg import MMGServer


@pytest.fixture
def mmg() -> Iterator[MMGServer]:
    with MMGServer() as server:
        yield server


@pytest.fixture
def make_api(postgres_url: str, valkey_url: str, tmp_path: Path, mmg: MMGServer) -> Iterator[Callable[..., Api]]:
    """Makes the web application with a demo service and a provider on loopback; further settings come on top."""
    with ExitStack() as stack:

        def make(**options: Any) -> Api:
            usual = {"mmg_api_key": mmg.key, "mmg_url": mmg.address, "notification_queue_prefix": f"t{os.getpid()}-"}
            parts = stack.enter_context(fresh_parts(postgres_url, valkey_url, tmp_path, **(usual | options)))
            demo = ensure_demo(parts, tmp_path / "dev.json")
            app = create_app(parts.settings)
            stack.callback(app.extensions["notify"].close)
            return Api(app, parts, app.extensions["notify"], demo)

        yield make
