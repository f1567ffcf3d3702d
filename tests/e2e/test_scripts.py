"""The scripts, each in its own terminal, on a machine where nothing else is installed and no address is set."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
from notifications_python_client.notifications import NotificationsAPIClient

ROOT = Path(__file__).parents[2]
SECONDS = 90
SCRIPTS = ("run_celery.sh", "run_app.sh", "run_celery_beat.sh")


def _environment(folder: Path, port: int) -> dict[str, str]:
    """A terminal's environment, with the settings in a separate file, one of them without `export`."""
    settings = folder / "settings.sh"
    settings.write_text(f"export NOTIFY_DATA_DIR={folder / 'data'}\nPORT={port}\nexport WEB_PROCESSES=1\n")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ENVIRONMENT_FILE": str(settings),
        "VENV": sys.prefix,
    }


@contextmanager
def _terminal(script: str, environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [str(ROOT / "scripts" / script)], env=environment, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=SECONDS)


def _answer(client: NotificationsAPIClient, demo: dict[str, Any], log: Path) -> str:
    """The id of a message sent as soon as the API answers."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            sent = client.send_sms_notification(
                phone_number="07700900123",
                template_id=demo["templates"]["sms"],
                personalisation={"name": "Ann", "date": "Monday"},
            )
            return str(sent["id"])
        except Exception:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.3)


def _programs_of(folder: Path) -> list[str]:
    """The processes that have this folder on their command line, or are the keeper of its databases."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        words = " ".join(process.info["cmdline"] or ())
        data = (process.info["environ"] or {}).get("NOTIFY_DATA_DIR", "")
        if str(folder) in words or (data.startswith(str(folder)) and "notify.cli" in words):
            found.append(words)
    return found


def test_each_script_in_a_terminal_and_a_message_is_delivered(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = _environment(tmp_path, port)
    bootstrap = subprocess.run(
        [ROOT / "scripts" / "bootstrap.sh"], env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert bootstrap.returncode == 0, bootstrap.stdout + bootstrap.stderr
    assert "scripts/run_app.sh" in bootstrap.stdout
    demo = json.loads((tmp_path / "data" / "dev.json").read_text())
    client = NotificationsAPIClient(demo["api_keys"]["normal"], base_url=f"http://127.0.0.1:{port}")
    with ExitStack() as stack:
        # all at once: one of them starts the databases, and the others find them
        for script in SCRIPTS:
            stack.enter_context(_terminal(script, environment, tmp_path / f"{script}.log"))
        id_ = _answer(client, demo, tmp_path / "run_app.sh.log")
        deadline = time.monotonic() + SECONDS
        while (status := client.get_notification_by_id(id_)["status"]) != "delivered":
            assert time.monotonic() < deadline, status
            time.sleep(0.2)
        flask = {**environment, "NOTIFY_DATA_DIR": str(tmp_path / "data"), "FLASK_APP": "notify.app"}
        for command, expected in ((["command", "list-services"], "Demo service"), (["db", "current"], "(head)")):
            result = subprocess.run(
                [Path(sys.prefix) / "bin" / "flask", *command],
                env=flask,
                cwd=ROOT,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            assert expected in result.stdout, result.stdout + result.stderr
    # the last one has ended: nothing is left
    deadline = time.monotonic() + SECONDS
    while left := _programs_of(tmp_path):
        assert time.monotonic() < deadline, left
        time.sleep(0.3)
    assert (tmp_path / "data" / "postgres").exists()


def test_a_script_says_in_one_line_why_the_databases_do_not_start(tmp_path: Path) -> None:
    environment = _environment(tmp_path, 0) | {"NOTIFY_ENVIRONMENT": "development"}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "strange").touch()
    result = subprocess.run(
        [ROOT / "scripts" / "run_app.sh"],
        env=environment | {"ENVIRONMENT_FILE": "", "NOTIFY_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr.strip().splitlines()[-1].startswith("Error: ")
    assert "is not notify's" in result.stderr


def test_a_file_of_settings_that_is_named_must_be_there(tmp_path: Path) -> None:
    environment = _environment(tmp_path, 0) | {"ENVIRONMENT_FILE": str(tmp_path / "typo.sh")}
    result = subprocess.run(
        [ROOT / "scripts" / "run_celery.sh"], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 1
    assert result.stderr == f"ENVIRONMENT_FILE: there is no file {tmp_path / 'typo.sh'}\n"
