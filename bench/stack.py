"""What the benchmarks run against: the product's own processes, PostgreSQL with fsync on, Valkey, a quick provider."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import jwt
import psutil
import psycopg

from notify import migrate, settings
from notify.cli.demo import ensure_demo
from notify.infra.parts import build_parts
from notify.infra.postgres import start_postgres
from notify.infra.valkey import start_valkey

ROOT = Path(__file__).parent.parent


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def prepare_demo(postgres_url: str, valkey_url: str, folder: Path, api_url: str) -> dict[str, Any]:
    """Migrate the database and make the demo service, without limits; what `dev.json` says of it."""
    migrate.upgrade(postgres_url)
    parts = build_parts(
        settings.load(
            notify_environment="development",
            sqlalchemy_database_uri=postgres_url,
            redis_url=valkey_url,
            notify_data_dir=folder,
            api_host_name=api_url,
        )
    )
    demo: dict[str, Any] = ensure_demo(parts, folder / "dev.json")
    with parts.database.connection() as connection:
        connection.execute(
            "UPDATE services SET rate_limit = 60000000, sms_message_limit = 999999999, email_message_limit = 999999999"
        )
    parts.close()
    return demo


def remove_database(folder: Path) -> None:
    """Remove what a stopped PostgreSQL keeps; as root that lies elsewhere, behind a link."""
    shutil.rmtree((folder / "postgres").resolve(), ignore_errors=True)


class Tokens:
    """Tokens of one API key as the official clients make them: `iat` in whole seconds, so a new one each second."""

    def __init__(self, api_key: str) -> None:
        self._key = api_key
        self._token, self._until = "", 0.0

    def current(self) -> str:
        """The token of this second."""
        now = time.time()
        if now >= self._until:
            self._token = jwt.encode({"iss": self._key[-73:-37], "iat": int(now)}, self._key[-36:], algorithm="HS256")
            self._until = int(now) + 1
        return self._token


class Stack:
    """The running product, with a new PostgreSQL, or on an existing database, which is kept."""

    def __init__(self, folder: Path, postgres_url: str | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.provider_port = free_port()
        self._postgres = None if postgres_url else start_postgres(folder)
        self.postgres_url = postgres_url or (self._postgres.url if self._postgres else "")
        self._valkey = start_valkey(folder)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **os.environ,
            "NOTIFY_ENVIRONMENT": "development",
            "SQLALCHEMY_DATABASE_URI": self.postgres_url,
            "REDIS_URL": self._valkey.url,
            "NOTIFY_DATA_DIR": str(folder),
            "API_HOST_NAME": f"http://localhost:{self.port}",
            "API_HOST_NAME_INTERNAL": f"http://localhost:{self.port}",
            "PORT": str(self.port),
            "MMG_API_KEY": "bench",
            "MMG_URL": f"http://127.0.0.1:{self.provider_port}/",
        }
        self.demo = prepare_demo(self.postgres_url, self._valkey.url, folder, self.environment["API_HOST_NAME"])
        self.tokens = Tokens(self.demo["api_keys"]["normal"])
        self._numbers = count()

    def start(self, name: str, *arguments: str) -> None:
        """Start one of our processes (`notify <arguments>`)."""
        self._spawn(name, [sys.executable, "-m", "notify.cli", *arguments])

    def start_provider(self, *arguments: str) -> None:
        """Start the quick provider."""
        self._spawn("provider", [sys.executable, "-m", "bench.fast_mmg", "--port", str(self.provider_port), *arguments])
        self._wait(self.provider_port, "/stats")

    def start_web(self) -> None:
        """Start the API, and wait until it answers."""
        self.start("web", "web")
        self._wait(self.port, "/_status?simple=1")

    def _spawn(self, name: str, command: list[str]) -> None:
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )

    def _wait(self, port: int, path: str) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                self.get(port, path)
            except (OSError, urllib.error.URLError):
                time.sleep(0.1)
            else:
                return
        raise RuntimeError(f"nothing answers on port {port}")

    def get(self, port: int, path: str, method: str = "GET") -> bytes:
        """The body of an answer on loopback."""
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            body: bytes = answer.read()
        return body

    def provider_stats(self) -> dict[str, int]:
        """What the provider counted."""
        stats: dict[str, int] = json.loads(self.get(self.provider_port, "/stats"))
        return stats

    def reset_provider(self) -> None:
        """Count anew."""
        self.get(self.provider_port, "/reset", "POST")

    def execute(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the database."""
        with psycopg.connect(self.postgres_url, autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def sms_request(self) -> bytes:
        """A request that sends a text message, to a new number each time."""
        number = 7900000000 + next(self._numbers) % 99_999_999
        body = json.dumps(
            {
                "phone_number": f"0{number}",
                "template_id": self.demo["templates"]["sms"],
                "personalisation": {"name": "Amala", "date": "Monday 3 June"},
                "reference": f"bench-{number}",
            }
        ).encode()
        return (
            f"POST /v2/notifications/sms HTTP/1.1\r\nHost: localhost:{self.port}\r\nContent-Type: application/json\r\n"
            f"User-Agent: bench\r\nAuthorization: Bearer {self.tokens.current()}\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body

    def get_request(self, notification_id: str) -> bytes:
        """A request that reads a message."""
        return (
            f"GET /v2/notifications/{notification_id} HTTP/1.1\r\nHost: localhost:{self.port}\r\n"
            f"User-Agent: bench\r\nAuthorization: Bearer {self.tokens.current()}\r\n\r\n"
        ).encode()

    def memory(self) -> dict[str, float]:
        """Resident memory in MiB of each of our processes, by name; of a process with children, the largest of them."""
        sizes = {}
        for name, process in self._processes.items():
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
            sizes[name] = max(member.memory_info().rss for member in family) / 2**20
        return sizes

    def process_id(self, name: str) -> int:
        """The id of one of our processes."""
        return self._processes[name].pid

    def stop(self, name: str) -> None:
        """Stop one process."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def close(self) -> None:
        """Stop everything."""
        for name in list(self._processes):
            self.stop(name)
        self._valkey.stop()
        if self._postgres:
            self._postgres.stop()
            remove_database(self.folder)


@contextmanager
def running(folder: Path, postgres_url: str | None = None) -> Iterator[Stack]:
    """A stack that is stopped afterwards."""
    stack = Stack(folder, postgres_url)
    try:
        yield stack
    finally:
        stack.close()
