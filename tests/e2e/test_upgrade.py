"""An update without downtime: processes of the version before run beside those of this one, on a database that this one
has migrated. The version before is the newest tag, or, where there is none, the commit before the newest migration.

It needs the history of the repository. A shallow clone, as continuous integration makes, fetches it from where it came
from into a folder of the test; where nobody answers there, and in a source archive, this is skipped. What holds there
all the same: `tests/workers/test_signatures.py` for tasks, `tests/migrations/test_phases.py` for tables.
"""

from __future__ import annotations

import io
import os
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from notifications_python_client.notifications import NotificationsAPIClient

from notify.cli.demo import ensure_demo
from notify.infra.parts import Parts
from notify.webhooks.actions import create_callback
from tests.conftest import fresh_parts
from tests.servers.receiver import Receiver
from tests.workers.processes import ROOT, environment_of

VALUES = {"name": "Amala", "date": "Monday", "parking": "no"}
SECONDS = 120


class History:
    """The commits up to this one, in a repository that has them all."""

    def __init__(self, repository: Path, head: str) -> None:
        self._repository = repository
        self.head = head

    @classmethod
    def find(cls, folder: Path) -> History:
        """That of this checkout, or of where it was cloned from. Skips the test where there is none."""
        here = cls(ROOT, "HEAD")
        if (shallow := here.git("rev-parse", "--is-shallow-repository").strip()) == b"false":
            return here
        origin = here.git("remote", "get-url", "origin").decode().strip()
        if not shallow or not origin:
            pytest.skip("no history: this is no repository, or nobody knows where it came from")
        there = cls(folder / "history", here.git("rev-parse", "HEAD").decode().strip())
        here.git("clone", "--bare", "--quiet", origin, str(folder / "history"))
        if not there.git("rev-parse", "--verify", f"{there.head}^{{commit}}"):
            pytest.skip("no history: this is a shallow clone, and where it came from does not answer")
        return there

    def git(self, *arguments: str) -> bytes:
        """What Git says; nothing where it fails."""
        if not self._repository.exists():
            return b""
        environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=self._repository, env=environment, capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else b""

    def version_before(self) -> str:
        """The commit of the version before. Skips the test where the history does not tell."""
        if named := os.environ.get("NOTIFY_VERSION_BEFORE"):
            return named
        if tag := self.git("describe", "--tags", "--abbrev=0", f"{self.head}^").decode().strip():
            return tag
        log = self.git("log", "--diff-filter=A", "-1", "--format=%H", self.head, "--", "notify/migrations/versions")
        added = log.decode().strip()
        if not added or not self.git("rev-parse", "--verify", f"{added}^").strip():
            pytest.skip("no version before this one is in the history")
        return f"{added}^"


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source of the version before."""
    folder = tmp_path_factory.mktemp("older")
    history = History.find(tmp_path_factory.mktemp("repository"))
    archive = history.git("archive", "--format=tar", history.version_before(), "notify")
    assert archive
    with tarfile.open(fileobj=io.BytesIO(archive)) as file:
        file.extractall(folder, filter="data")
    assert (folder / "notify" / "cli" / "__main__.py").exists()
    return folder


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(source: Path, environment: Mapping[str, str], folder: Path, *words: str) -> Iterator[None]:
    """A process of the version in `source`, until the block ends."""
    log = folder / f"{words[0]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "notify.cli", *words],
            env={**environment, "PYTHONPATH": str(source)},
            cwd=source,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield
        assert process.poll() is None, log.read_text()
    except AssertionError as error:
        error.add_note(log.read_text()[-4000:])
        raise
    finally:
        process.terminate()
        try:
            process.wait(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=5) as answer:
        return bool(answer.status == 200)
    return False


def wait_for(what: Any) -> Any:
    deadline = time.monotonic() + SECONDS
    while not (found := what()):
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.1)
    return found


@pytest.fixture
def world(postgres_url: str, valkey_url: str, tmp_path: Path) -> Iterator[tuple[Parts, dict[str, Any], Receiver]]:
    """A database with the demo service, which is called back."""
    ports = {"port": free_port(), "sandbox_url": f"http://127.0.0.1:{free_port()}", "sandbox_receipt_delay_ms": 50}
    ports |= {"api_host_name": f"http://localhost:{ports['port']}", "web_processes": 1}
    ports["api_host_name_internal"] = ports["api_host_name"]
    with fresh_parts(postgres_url, valkey_url, tmp_path, **ports) as parts, Receiver() as receiver:
        demo = ensure_demo(parts, tmp_path / "dev.json")
        with parts.database.transaction() as session:
            create_callback(
                session,
                parts.encryptor,
                service_id=demo["service_id"],
                callback_type="delivery_status",
                url=f"{receiver.url}/status",
                bearer_token="a token of the receiver",
                updated_by_id=demo["user"]["id"],
                guarded=False,
            )
        yield parts, demo, receiver


@pytest.mark.parametrize("which", ["older worker, newer web", "newer worker, older web"])
def test_a_message_gets_through_while_versions_are_mixed(
    which: str, older: Path, world: tuple[Parts, dict[str, Any], Receiver], tmp_path: Path
) -> None:
    parts, demo, receiver = world
    environment = environment_of(parts.settings)
    worker, web = (older, ROOT) if which.startswith("older worker") else (ROOT, older)
    client = NotificationsAPIClient(demo["api_keys"]["normal"], base_url=demo["api_url"])
    with ExitStack() as stack:
        for source, words in ((web, ["sandbox"]), (web, ["web"]), (worker, ["worker"])):
            stack.enter_context(running(source, environment, tmp_path, *words))
        wait_for(lambda: answers(f"{demo['api_url']}/_status/ready"))
        sent = [
            client.send_sms_notification("07900900123", demo["templates"]["sms"], VALUES),
            client.send_email_notification("amala@example.com", demo["templates"]["email"], VALUES),
        ]
        for one in sent:
            wait_for(lambda one=one: client.get_notification_by_id(one["id"])["status"] == "delivered")
        calls = receiver.wait_for(2, "/status", seconds=SECONDS)
    assert {call.body["id"] for call in calls} == {one["id"] for one in sent}
    assert {call.body["status"] for call in calls} == {"delivered"}
