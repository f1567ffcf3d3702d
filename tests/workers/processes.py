"""Workers as separate processes, for tests that need to see them live and die."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from notify.settings import Settings

ROOT = Path(__file__).parents[2]
START_SECONDS = 60


def environment_of(settings: Settings, **changes: str) -> dict[str, str]:
    """The settings that differ from the defaults, as a process gets them."""
    given = settings.model_dump(exclude_defaults=True)
    texts = {
        name.upper(): json.dumps(value) if isinstance(value, dict | list) else str(value)
        for name, value in given.items()
    }
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | texts | changes


class WorkerProcess:
    """A `notify worker` that runs until the block ends."""

    def __init__(self, environment: Mapping[str, str], log: Path, *options: str) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "notify.cli", "worker", *options],
                env=dict(environment),
                cwd=log.parent,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self.log.read_text()

    def lines(self) -> list[dict[str, Any]]:
        """What it logged."""
        return [json.loads(line) for line in self.said.splitlines() if line.startswith("{")]

    def wait_until_ready(self) -> None:
        self.wait_for(lambda: '"worker ready"' in self.said)

    def wait_for(self, what: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not what():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
