"""`notify with-engines`: single processes that share the databases of a data folder. The first one starts the
databases; they stop after the last one has ended.

A keeper, in its own session, runs PostgreSQL, Valkey and the sandbox provider. Each process that needs them holds a
shared lock on a file, which the kernel releases when the process ends. When no one holds it, the keeper stops.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import click

from notify import settings as configuration
from notify.cli.folder import DataFolder, FolderError
from notify.cli.up import PREPARE_SECONDS, Instance, UpError
from notify.infra.embedded import EmbeddedError
from notify.infra.server import last_words

UNUSED_SECONDS: Final = 3.0
"""The databases stop after this many seconds without a user, so that a process that restarts finds them running."""
LOOK_SECONDS: Final = 0.25
LOOPBACK: Final = ("", "localhost", "127.0.0.1", "::1")
ADDRESSES: Final = ("SQLALCHEMY_DATABASE_URI", "REDIS_URL", "BROKER_URL", "API_HOST_NAME")


class Keeper(Instance):
    """Runs the servers of `notify up` and the sandbox, until no process uses them."""

    def _start_process(self, name: str, level: int, *command: str) -> None:
        if name == "sandbox":
            super()._start_process(name, level, *command)

    def _check_port(self) -> None:
        """Nothing to check: no API is started here."""

    def _wait_until_ready(self, stop: threading.Event) -> None:
        """There is no API to wait for."""

    def _welcome(self) -> None:
        self.say("engines", "ready")


@click.command("engines", hidden=True)
def engines() -> None:
    """Run the databases of the data folder until no process uses them."""
    settings = configuration.load()
    folder = DataFolder(settings.notify_data_dir)
    overrides: dict[str, Any] = {"notify_data_dir": folder.path, "notify_environment": settings.notify_environment}
    for name in ("API_HOST_NAME", "API_HOST_NAME_INTERNAL"):
        if name not in os.environ:
            overrides[name.lower()] = f"http://localhost:{settings.port}"
    os.umask(0o077)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_stop_when_unused, args=(folder, stop), daemon=True).start()
    try:
        Keeper(configuration.load(**overrides), folder, overrides, workers=0, quiet=False).run(stop)
    except (UpError, FolderError, EmbeddedError, configuration.SettingsError) as error:
        raise click.ClickException(str(error)) from None


def _stop_when_unused(folder: DataFolder, stop: threading.Event) -> None:
    """Set `stop` when no process has used the folder for a while. From then on we hold the lock exclusively, so that a
    process that is started meanwhile waits until we have ended and then starts the databases again.
    """
    users = _open_users(folder)
    unused_since: float | None = None
    while not stop.wait(LOOK_SECONDS):
        if not _lock(users, fcntl.LOCK_EX):
            unused_since = None
            continue
        unused_since = unused_since or time.monotonic()
        if time.monotonic() - unused_since >= UNUSED_SECONDS:
            stop.set()
            return
        fcntl.flock(users, fcntl.LOCK_UN)


def _open_users(folder: DataFolder) -> int:
    """Open the file that users of the folder lock."""
    if not folder.run.is_dir():
        folder.take()
        folder.release()
    return os.open(folder.run / "users", os.O_RDWR | os.O_CREAT, 0o600)


def _lock(file: int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@click.command("with-engines", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def with_engines(command: Sequence[str]) -> None:
    """Run a command, such as `web`, with the databases of the data folder.

    It starts them unless another command has; they stop after the last such command has ended. If
    SQLALCHEMY_DATABASE_URI names a database, nothing is started. If NOTIFY_ENVIRONMENT is not set, it becomes
    `development`, as long as every address is on this machine.
    """
    if "NOTIFY_ENVIRONMENT" not in os.environ and is_local(os.environ):
        os.environ["NOTIFY_ENVIRONMENT"] = "development"
    if not os.environ.get("SQLALCHEMY_DATABASE_URI") and configuration.load().is_safe_environment:
        folder = DataFolder(configuration.load().notify_data_dir)
        try:
            _join(folder)
        except FolderError as error:
            raise click.ClickException(str(error)) from None
    os.execv(sys.executable, [sys.executable, "-m", "notify.cli", *command])  # noqa: S606 - our own program


def is_local(environment: Mapping[str, str]) -> bool:
    """Whether every address in an environment, and every one that we listen on, is on this machine."""
    if environment.get("WEB_HOST", "") not in LOOPBACK:
        return False
    for name in ADDRESSES:
        address = urlsplit(environment.get(name, ""))
        hosts = [address.hostname or "", *parse_qs(address.query).get("host", [])]
        if not all(host in LOOPBACK or host.startswith("/") for host in hosts):
            return False
    return True


def _join(folder: DataFolder) -> None:
    """Become a user of the folder's databases, for the life of this process (also after `exec`), and start them if they
    do not run. Raises `click.ClickException`, `FolderError`.
    """
    users = _open_users(folder)
    deadline = time.monotonic() + PREPARE_SECONDS
    while not _lock(users, fcntl.LOCK_SH):  # they are being stopped
        _wait(deadline)
    os.set_inheritable(users, True)
    keeper: subprocess.Popen[bytes] | None = None
    log = folder.logs / "engines.log"
    start = log.stat().st_size if log.exists() else 0
    while not folder.published():
        if keeper is None:
            click.echo("Starting the databases ...", err=True)
            keeper = _spawn(log)
        elif keeper.poll() and "already running" not in (words := last_words(log, start)):
            raise click.ClickException(f"{words} (see {log})")
        _wait(deadline)


def _wait(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise click.ClickException(f"the databases were not ready after {PREPARE_SECONDS:.0f} seconds")
    time.sleep(LOOK_SECONDS)


def _spawn(log: Path) -> subprocess.Popen[bytes]:
    log.parent.mkdir(mode=0o700, exist_ok=True)
    with open(log, "ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "notify.cli", "engines"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
