"""The whole product, as `notify up` starts it, for tests that use it as its users do."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from notifications_python_client.notifications import NotificationsAPIClient

START_SECONDS = 60


@dataclass
class Product:
    """A running product: what `dev.json` says, and where its data is."""

    demo: dict[str, Any]
    folder: Path

    def client(self, key: str = "normal") -> NotificationsAPIClient:
        return NotificationsAPIClient(self.demo["api_keys"][key], base_url=self.demo["api_url"])

    def wait_for(self, notification_id: str, *statuses: str, seconds: float = 20) -> dict[str, Any]:
        """The message, once it has one of these statuses."""
        deadline = time.monotonic() + seconds
        while True:
            shown: dict[str, Any] = self.client().get_notification_by_id(notification_id)
            if shown["status"] in statuses:
                return shown
            assert time.monotonic() < deadline, shown
            time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_product(folder: Path, *options: str, **changes: str) -> Iterator[Product]:
    """`notify up`, with further options and settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SQLALCHEMY", "REDIS"))}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "notify.cli",
            "up",
            "--data-dir",
            str(folder),
            "--port",
            str(_free_port()),
            "--processes=1",
            *options,
        ],
        env=environment | changes,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("Ready"):
            break
    assert said, "it said nothing"
    assert said[-1].startswith("Ready"), "".join(said)
    yield Product(json.loads((folder / "dev.json").read_text()), folder)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=START_SECONDS)
    assert process.returncode == 0


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with running_product(tmp_path_factory.mktemp("product")) as product:
        yield product
