"""The real product for a chaos run: its own processes under its own supervisor, with proxies between them."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import threading
import urllib.request
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import strftime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psutil
import psycopg
import redis

from bench.stack import free_port, prepare_demo, remove_database
from chaos.networks import Networks
from chaos.provider import Providers
from chaos.proxy import Proxy
from notify import queues
from notify.infra import supervisor as supervision
from notify.infra.children import Child
from notify.infra.postgres import SOCKET_NAME, SUPERUSER, start_postgres
from notify.infra.supervisor import Running, Supervisor
from notify.infra.valkey import start_valkey
from notify.messages.publish import DELIVER_TASKS

ROOT = Path(__file__).parent.parent
DATABASES, PROCESSES, WEB = range(3)
READY_SECONDS = 90.0
RETRY_SECONDS, SWEEP_AFTER_SECONDS, SWEEP_EVERY_SECONDS = 2, 5, 3
STEADY_SECONDS = 3.0
"""A part that lived so long is started again at once when it dies. Usually it is a minute; here parts die often."""


class Stack:
    """The running product. `start()` and what follows is for the event loop; only the supervisor has a thread."""

    def __init__(self, folder: Path, seed: str, *, workers: int, web_processes: int) -> None:
        self.folder = folder
        self.providers = Providers(seed)
        self.networks = Networks(seed)
        self.web_port = free_port()
        self.demo: dict[str, Any] = {}
        self._workers = workers
        self._web_processes = web_processes
        self._running: dict[str, Running] = {}
        self._supervisor = Supervisor(self._say)
        self._stop = threading.Event()
        self._watcher = threading.Thread(target=self._supervisor.watch, args=(self._stop,), name="supervisor")
        self._environment: dict[str, str] = {}
        self.database_url = self.cache_url = ""

    @property
    def base_url(self) -> str:
        """Where the API is."""
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def queues(self) -> tuple[str, ...]:
        """The queues in which messages wait."""
        return (queues.SEND_SMS, queues.SEND_EMAIL, queues.RESEARCH_MODE, queues.RETRY)

    @property
    def workers(self) -> list[str]:
        """Names of the workers."""
        return [f"worker-{number}" for number in range(1, self._workers + 1)]

    async def start(self) -> None:
        """Start everything; returns when the API answers."""
        supervision.STEADY_SECONDS = STEADY_SECONDS
        database, cache = await asyncio.gather(
            asyncio.to_thread(start_postgres, self.folder), asyncio.to_thread(start_valkey, self.folder)
        )
        self.database_url, self.cache_url = database.url, cache.url
        self._add("postgres", lambda: start_postgres(self.folder), DATABASES, database)
        self._add("valkey", lambda: start_valkey(self.folder, url=self.cache_url), DATABASES, cache)
        self.demo = await asyncio.to_thread(prepare_demo, self.database_url, self.cache_url, self.folder, self.base_url)
        await self.providers.start()
        await self.networks.start()
        self.providers.receipts_url = self.base_url
        await self._start_proxies()
        self._environment = self._settings()
        self._add("web", self._child("web"), WEB)
        for name in self.workers:
            self._add(name, self._child("worker", "--name", name), PROCESSES)
        self._add("beat", self._child("beat"), PROCESSES)
        self._watcher.start()
        await self.wait_until_ready()

    async def _start_proxies(self) -> None:
        sockets = parse_qs(urlsplit(self.database_url).query)["host"][0]
        cache_port = urlsplit(self.cache_url).port
        self.database_proxy = Proxy(lambda: asyncio.open_unix_connection(f"{sockets}/{SOCKET_NAME}"))
        self.cache_proxy = Proxy(lambda: asyncio.open_connection("127.0.0.1", cache_port))
        self.provider_proxy = Proxy(lambda: asyncio.open_connection("127.0.0.1", self.providers.port))
        for proxy in (self.database_proxy, self.cache_proxy, self.provider_proxy):
            await proxy.start()

    def _settings(self) -> dict[str, str]:
        database, cache = urlsplit(self.database_url), urlsplit(self.cache_url)
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("SQLALCHEMY_", "REDIS_"))},
            "NOTIFY_ENVIRONMENT": "development",
            "SQLALCHEMY_DATABASE_URI": f"postgresql://{database.username}@127.0.0.1:{self.database_proxy.port}"
            f"{database.path}",
            "REDIS_URL": f"redis://:{cache.password}@127.0.0.1:{self.cache_proxy.port}/0",
            "NOTIFY_DATA_DIR": str(self.folder),
            "API_HOST_NAME": self.base_url,
            "API_HOST_NAME_INTERNAL": self.base_url,
            "PORT": str(self.web_port),
            "WEB_PROCESSES": str(self._web_processes),
            "MMG_API_KEY": "chaos",
            "MMG_URL": f"http://127.0.0.1:{self.provider_proxy.port}/mmg",
            "FIRETEXT_API_KEY": "chaos",
            "FIRETEXT_URL": f"http://127.0.0.1:{self.provider_proxy.port}/firetext",
            "CBC_PROXY_AWS_ACCESS_KEY_ID": "chaos",
            "CBC_PROXY_AWS_SECRET_ACCESS_KEY": "chaos",
            "CBC_PROXY_URL": f"http://127.0.0.1:{self.networks.port}",
            "CBC_PROXY_TIMEOUT_SECONDS": "2",
            "JOB_STALLED_SECONDS": "2",
            "BROADCAST_SWEEP_SECONDS": "3",
            "DELIVERY_RETRY_SECONDS": str(RETRY_SECONDS),
            # in seconds, the usual number would end messages before the trouble does
            "DELIVERY_MAX_RETRIES": "10000",
            "SWEEP_AFTER_SECONDS": str(SWEEP_AFTER_SECONDS),
            "SWEEP_EVERY_SECONDS": str(SWEEP_EVERY_SECONDS),
            "PYTHONUNBUFFERED": "1",
        }

    def _child(self, *words: str) -> Callable[[], Child]:
        log = self.folder / "logs" / f"{words[-1]}.log"
        command = [sys.executable, "-m", "notify.cli", *words]
        return lambda: Child(command, log=log, environment=self._environment)

    def _add(self, name: str, start: Callable[[], Running], level: int, running: Running | None = None) -> None:
        def start_and_note() -> Running:
            self._running[name] = start()
            return self._running[name]

        if running:
            self._running[name] = running
        self._supervisor.add(name, start_and_note, level=level, running=running)

    def _say(self, name: str, text: str) -> None:
        with (self.folder / "logs" / "supervisor.log").open("a") as log:
            log.write(f"{strftime('%H:%M:%S')}  {name:<10} {text}\n")

    async def stop(self) -> None:
        """Stop everything; our own processes by force."""
        self._stop.set()
        if self._watcher.is_alive():
            await asyncio.to_thread(self._watcher.join)
        for name in self._running:
            if name not in ("postgres", "valkey"):
                self.kill(name)
        await self.providers.stop()
        await self.networks.stop()
        for proxy in (self.database_proxy, self.cache_proxy, self.provider_proxy):
            proxy.mode = "forward"
            await proxy.stop()
        await asyncio.to_thread(self._supervisor.stop)
        remove_database(self.folder)

    # -- faults

    def kill(self, name: str) -> None:
        """SIGKILL to the main process of a part."""
        with suppress(ProcessLookupError):
            os.kill(self._running[name].pid, signal.SIGKILL)

    def kill_child(self, name: str, dice: random.Random) -> None:
        """SIGKILL to one child of a part: a process that serves requests, or a session of the database."""
        with suppress(psutil.Error):
            children = psutil.Process(self._running[name].pid).children(recursive=True)
            if name == "postgres":
                children = [child for child in children if "[local]" in " ".join(child.cmdline())]
            if children:
                dice.choice(children).kill()

    def signal_family(self, name: str, number: signal.Signals) -> None:
        """A signal to a part and all its children."""
        with suppress(psutil.Error):
            process = psutil.Process(self._running[name].pid)
            for member in (process, *process.children(recursive=True)):
                with suppress(psutil.Error):
                    member.send_signal(number)

    async def configure_postgres(self, name: str, value: str | None) -> None:
        """Change a setting of the server for all sessions; None: back to what it was."""
        change = f"ALTER SYSTEM RESET {name}" if value is None else f"ALTER SYSTEM SET {name} = {value}"
        await asyncio.to_thread(self._execute, change, (), user=SUPERUSER)
        await asyncio.to_thread(self._execute, "SELECT pg_reload_conf()", (), user=SUPERUSER)

    def queued_messages(self) -> Counter[str]:
        """How often each message is in a task that waits, or that a worker has."""
        found: Counter[str] = Counter()
        client = self.cache()
        raw = [task for name in self.queues for task in client.lrange(name, 0, -1)]
        for task in [*raw, *(json.loads(kept)[0] for kept in client.hvals("unacked"))]:
            message = json.loads(task) if isinstance(task, bytes) else task
            if message["headers"]["task"] in DELIVER_TASKS.values():
                found.update(json.loads(b64decode(message["body"]))[0][0])
        client.close()
        return found

    def cache(self) -> redis.Redis:
        """The cache itself, not through the proxy."""
        return redis.Redis.from_url(self.cache_url, socket_timeout=5)

    # -- looking

    async def wait_until_ready(self) -> None:
        """Wait until the API answers, database included. Raises `TimeoutError`."""
        async with asyncio.timeout(READY_SECONDS):
            while not await asyncio.to_thread(self._answers):
                await asyncio.sleep(0.2)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.base_url}/_status", timeout=5):
                return True
        except OSError:
            return False

    async def execute(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database, not through the proxy. Raises `psycopg.OperationalError` while it is down."""
        return await asyncio.to_thread(self._execute, query, values)

    def _execute(self, query: str, values: tuple[Any, ...], **options: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.database_url, autocommit=True, connect_timeout=5, **options) as connection:
            cursor = connection.execute(query.encode(), values or None)
            return cursor.fetchall() if cursor.description else []
