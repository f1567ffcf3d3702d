"""`notify up` as its user sees it: real processes, short output, nothing left behind."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from notify.infra.embedded import start_postgres
from notify.infra.valkey import free_port
from tests.production import PRODUCTION

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
"""It takes three on an idle machine; tests share theirs."""


class Run:
    """A `notify up` in a separate process."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.output = folder.with_name(f"{folder.name}.out")
        inherited = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "notify.cli", "up", f"--data-dir={folder}", f"--port={self.port}", *options]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env=inherited | environment, cwd=folder.parent
            )

    @property
    def said(self) -> str:
        return self.output.read_text()

    def wait_for(self, what: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not what():
            assert self.process.poll() is None, self.said
            assert time.monotonic() < deadline, self.said
            time.sleep(0.05)

    def wait_until_ready(self) -> None:
        self.wait_for(lambda: "Ready after" in self.said)

    def wait_for_end(self) -> int:
        return self.process.wait(START_SECONDS)

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def status(self) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/_status")
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()

    def pid_of(self, name: str) -> int:
        lines = [line.split() for line in self.said.splitlines() if f" {name} " in line and "started" in line]
        return int(lines[-1][-1].rstrip(")"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def start(folder: Path) -> Iterator[Callable[..., Run]]:
    """Starts runs on the folder; ends those that a failed test left, and removes what root keeps elsewhere."""
    runs: list[Run] = []

    def start(*options: str, **environment: str) -> Run:
        runs.append(Run(folder, *options, **environment))
        return runs[-1]

    yield start
    for run in runs:
        if run.process.poll() is None:
            run.process.terminate()
            run.process.wait(START_SECONDS)
    if (folder / "postgres").is_symlink():
        subprocess.run(["rm", "-rf", str((folder / "postgres").resolve())], check=True)


def are_gone(processes: list[psutil.Process]) -> bool:
    return not any(is_alive(process) for process in processes)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def refusal(run: Run) -> str:
    """The one line that a start that failed ends with."""
    assert run.wait_for_end() == 1
    assert "Traceback" not in run.said
    last = run.said.splitlines()[-1]
    assert last.startswith("Error: ")
    return last


def test_first_start_stop_and_start_again(start: Callable[..., Run], folder: Path) -> None:
    run = start("--workers=2")
    run.wait_until_ready()
    demo = json.loads((folder / "dev.json").read_text())
    assert run.status() == 200
    for shown in (*demo["api_keys"].values(), f"http://localhost:{run.port}", "notify send sms", "curl http://"):
        assert shown in run.said
    assert demo["api_url"] == f"http://localhost:{run.port}"
    for name in ("postgres", "valkey", "sandbox", "web", "worker-1", "worker-2", "beat"):
        assert psutil.pid_exists(run.pid_of(name))

    second = Run(folder, "--quiet")
    assert refusal(second) == f"Error: notify is already running on {folder} (process {run.process.pid})"
    assert run.status() == 200

    family = run.family()
    began = time.monotonic()
    run.process.send_signal(signal.SIGINT)
    assert run.wait_for_end() == 0
    assert time.monotonic() - began < 20
    assert are_gone(family)
    stopped = [line.split()[1] for line in run.said.splitlines() if " stopped (" in line]
    assert stopped[0] == "web"
    assert set(stopped[-2:]) == {"postgres", "valkey"}
    assert "Traceback" not in "".join(log.read_text() for log in (folder / "logs").glob("*.log"))

    again = start()
    again.wait_until_ready()
    assert json.loads((folder / "dev.json").read_text())["api_keys"] == demo["api_keys"]
    again.process.terminate()
    assert again.wait_for_end() == 0


def test_outside_development_it_has_secrets_of_its_own(start: Callable[..., Run], folder: Path) -> None:
    pilot = {"NOTIFY_ENVIRONMENT": "pilot", "SMTP_URL": "smtp://relay.example"}
    assert refusal(start(**pilot)).startswith("Error: API_HOST_NAME: must be set in environment 'pilot', to an address")
    names = ("api_host_name", "admin_base_url", "notify_email_domain", "metrics_token")
    run = start(**pilot, **{name.upper(): PRODUCTION[name] for name in names})
    run.wait_until_ready()
    secrets = json.loads((folder / "secrets.json").read_text()) | {"metrics_token": PRODUCTION["metrics_token"]}
    published = json.loads((folder / "run" / "environment.json").read_text())
    for name, value in secrets.items():
        assert published[name.upper()] == (value if isinstance(value, str) else json.dumps(value))
        assert str(value) not in run.said
    listed = subprocess.run(
        [sys.executable, "-m", "notify.cli", "list-services"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "NOTIFY_DATA_DIR": str(folder)},
    )
    assert listed.stdout  # it finds the instance, its environment and its secrets
    assert "console" not in run.said.lower()
    assert run.status() == 200


def test_other_keys_than_those_of_the_data_are_refused(start: Callable[..., Run], folder: Path) -> None:
    run = start()
    run.wait_until_ready()
    assert json.loads((folder / "run" / "environment.json").read_text())["NOTIFY_ENVIRONMENT"] == "development"
    run.process.terminate()
    assert run.wait_for_end() == 0
    secrets = folder / "secrets.json"
    kept = secrets.read_text()
    secrets.unlink()
    assert refusal(start()).startswith("Error: DATA_ENCRYPTION_KEYS: the configured keys are not those that")
    secrets.write_text(kept)
    start().wait_until_ready()


def test_dead_children_are_started_again(start: Callable[..., Run]) -> None:
    run = start()
    run.wait_until_ready()
    for name in ("web", "valkey", "postgres"):
        os.kill(run.pid_of(name), signal.SIGKILL)
        run.wait_for(lambda name=name: f" {name} " in run.said and "started again" in run.said.split(name)[-1])  # type: ignore[misc]
        assert "ended (SIGKILL); starting it again in 0.5 s" in run.said
    run.wait_for(lambda: run.status() == 200)
    run.process.terminate()
    assert run.wait_for_end() == 0


def test_nothing_survives_a_kill_and_the_next_start_works(start: Callable[..., Run]) -> None:
    run = start()
    run.wait_until_ready()
    family = run.family()
    run.process.kill()
    run.wait_for_end()
    deadline = time.monotonic() + 20
    while not are_gone(family):
        assert time.monotonic() < deadline, [one for one in family if is_alive(one)]
        time.sleep(0.1)

    again = start()
    again.wait_until_ready()
    family = again.family()
    watchers = [one for one in family if "notify-watcher" in one.cmdline()]
    for process in [*watchers, psutil.Process(again.process.pid)]:  # now there is nobody to clear up
        process.kill()
    again.wait_for_end()
    assert not are_gone(family)

    last = start()
    last.wait_until_ready()
    assert are_gone(family)


def test_stop_during_the_start(start: Callable[..., Run]) -> None:
    run = start()
    run.wait_for(lambda: "postgres" in run.said)
    family = run.family()
    run.process.terminate()
    assert run.wait_for_end() == 0
    assert are_gone(family)


def test_port_in_use(start: Callable[..., Run]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refusal(start(f"--port={port}"))
    assert said.startswith(f"Error: port {port} of 127.0.0.1 cannot be used: another program listens there")


def test_folder_of_a_newer_version(start: Callable[..., Run], folder: Path) -> None:
    folder.mkdir()
    (folder / "version").write_text("99\n")
    assert "was made by a newer version of notify" in refusal(start())


def test_database_that_cannot_be_reached(start: Callable[..., Run]) -> None:
    run = start(SQLALCHEMY_DATABASE_URI="postgresql://me:sesame@127.0.0.1:1/notify")
    assert refusal(run).startswith("Error: the database cannot be reached: ")
    assert "sesame" not in run.said
    assert "postgres " not in run.said


def test_cache_that_cannot_be_reached(start: Callable[..., Run]) -> None:
    run = start(REDIS_URL="redis://:sesame@127.0.0.1:1/0")
    assert refusal(run) == "Error: the cache cannot be reached: is REDIS_URL right, and does it run?"


def test_database_of_a_newer_version(start: Callable[..., Run], folder: Path) -> None:
    folder.mkdir(mode=0o711)
    server = start_postgres(folder)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
    server.stop()
    assert "the database is at revision 9999, made by a newer version" in refusal(start())
