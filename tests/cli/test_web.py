"""`notify web` with several processes, which count together."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from notify.infra.parts import Parts
from notify.infra.valkey import free_port
from tests.workers.processes import ROOT, START_SECONDS, environment_of

ROUTE = 'http_server_requests_total{method="GET",path="/v2/templates",status="401"}'


class Web:
    """The API in processes of its own."""

    def __init__(self, parts: Parts, folder: Path, **changes: str) -> None:
        self.port = free_port()
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.log = folder / "web.log"
        environment = environment_of(
            parts.settings, PORT=str(self.port), WEB_PROCESSES="2", TMPDIR=str(self.temporary), **changes
        )
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "notify.cli", "web"],
                env=environment,
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.get("/_status/ready")[0] != 200:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def counted(self) -> float:
        match = re.search(rf"^{re.escape(ROUTE)} (\S+)$", self.get("/metrics")[1], re.MULTILINE)
        return float(match[1]) if match else 0.0


@pytest.fixture
def web(parts: Parts, tmp_path: Path) -> Iterator[Web]:
    running = Web(parts, tmp_path)
    running.wait_until_ready()
    yield running
    if running.process.poll() is None:
        running.process.kill()
    running.process.wait()


def test_processes_count_together_and_no_count_is_lost_with_one_of_them(web: Web) -> None:
    for _ in range(20):
        assert web.get("/v2/templates")[0] == 401
    assert web.counted() == 20
    children = psutil.Process(web.process.pid).children()
    assert len(children) >= 2
    os.kill(children[0].pid, signal.SIGKILL)
    deadline = time.monotonic() + START_SECONDS
    answered = 0
    while answered < 20:
        answered += web.get("/v2/templates")[0] == 401
        assert time.monotonic() < deadline
    assert web.counted() == 20 + answered
    (folder,) = [path for path in web.temporary.iterdir() if path.name.startswith("notify-metrics-")]
    assert list(folder.glob("*.db"))
    web.process.terminate()
    assert web.process.wait(30) == 0
    assert not folder.exists()
