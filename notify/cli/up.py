"""`notify up`: runs everything on one machine, as children of this process."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click

from notify import settings as configuration
from notify.cli.folder import SECRETS, DataFolder, FolderError
from notify.cli.processes import refuse_taken_port
from notify.infra.children import Child
from notify.infra.embedded import EmbeddedError, Server, start_postgres, start_valkey
from notify.infra.server import last_words
from notify.infra.supervisor import EndedError, Supervisor, stop_leftovers
from notify.infra.valkey import free_port
from notify.providers.settings import EmailProviderSettings
from notify.safety import DEVELOPMENT_TOKEN_KEY
from notify.settings import Settings, SettingsError

DATABASES, PROVIDERS, WORKERS, WEB = range(4)
"""Levels: each depends on those before it. They are stopped in reverse order."""
GRACE_SECONDS = {PROVIDERS: 3.0, WORKERS: 8.0, WEB: 8.0}
ADDRESSES = ("api_host_name", "admin_base_url", "notify_email_domain", "from_number")
"""What other commands must know too: without it they refuse to start outside development."""
READY_SECONDS = 60.0
PREPARE_SECONDS = 600.0
"""Long, because migrations of a large database take time."""
LOOK_SECONDS = 0.03


class UpError(Exception):
    """Something did not start. The message is one line."""


class _StoppedError(Exception):
    """We were asked to stop while starting."""


@click.command()
@click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Folder of all data. [default: .notify]"
)
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the API. [default: PORT, or 6011]")
@click.option("--processes", type=click.IntRange(1, 64), help="Web processes. [default: WEB_PROCESSES, or 2]")
@click.option("--workers", type=click.IntRange(0, 64), default=1, show_default=True, help="Worker processes.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
def up(data_dir: Path | None, port: int | None, processes: int | None, workers: int, quiet: bool) -> None:
    """Start everything on this machine, databases included.

    PostgreSQL and Valkey are started unless SQLALCHEMY_DATABASE_URI and REDIS_URL name others. Ctrl-C stops everything
    and keeps the data.
    """
    given = {"notify_data_dir": data_dir, "port": port, "web_processes": processes}
    overrides: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    overrides["notify_environment"] = configuration.read().notify_environment or "development"
    settings = configuration.read(**overrides)
    if "API_HOST_NAME" not in os.environ:
        overrides["api_host_name"] = f"http://localhost:{settings.port}"
    if "API_HOST_NAME_INTERNAL" not in os.environ:
        overrides["api_host_name_internal"] = f"http://localhost:{settings.port}"
    folder = DataFolder(settings.notify_data_dir)
    overrides["notify_data_dir"] = folder.path
    if settings.is_safe_environment:  # before anything is written
        configuration.load(**overrides)
    instance = Instance(settings, folder, overrides, workers=workers, quiet=quiet)
    os.umask(0o077)  # the folder holds messages and keys
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    try:
        instance.run(stop)
    except (UpError, FolderError, EmbeddedError, SettingsError) as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:  # a full disk, most likely
        raise click.ClickException(f"{error.filename or folder.path}: {error.strerror or error}") from None


class Instance:
    """One run of `notify up`."""

    def __init__(
        self, settings: Settings, folder: DataFolder, overrides: dict[str, Any], *, workers: int, quiet: bool
    ) -> None:
        """`overrides` are the settings that differ from the environment, by field name; the children get them in their
        environment.
        """
        self.settings = settings
        self.folder = folder
        self.overrides = overrides
        self.workers = workers
        self.quiet = quiet
        self.began = time.monotonic()
        self.supervisor = Supervisor(self.say, record=folder.children)
        self._log_starts: dict[str, int] = {}

    def say(self, name: str, text: str, *, always: bool = False) -> None:
        """Print a line about a part."""
        if always or not self.quiet:
            # keep running if the terminal has been closed
            try:
                click.echo(f"{time.strftime('%H:%M:%S')}  {name:<10} {text}")
            except OSError:
                self.quiet = True

    def run(self, stop: threading.Event) -> None:
        """Start everything, keep it running until `stop` is set, stop everything. Raises `UpError`, `FolderError`,
        `EmbeddedError` if something does not start, after stopping the rest.
        """
        self.folder.take()
        try:
            self.folder.withdraw()  # what a killed one published
            self._take_secrets()
            stop_leftovers(self.folder.children)
            self._check_port()
            self._start(stop)
            self._welcome()
            self.supervisor.watch(stop)
        except EndedError as error:
            words = last_words(self._log(error.name), self._log_starts.get(error.name, 0))
            raise UpError(f"{error}: {words} (see {self._log(error.name)})") from None
        except _StoppedError:
            pass
        finally:
            if self.supervisor.is_busy:
                self.say("notify", "stopping")
            self.folder.withdraw()
            self.supervisor.stop()
            self.folder.release()
        self.say("notify", f"stopped; the data is kept in {_short(self.folder.path)}")

    def _check_port(self) -> None:
        refuse_taken_port(self.settings.web_host, self.settings.port)

    def _take_secrets(self) -> None:
        """Use the folder's secrets where the environment has none, and let other commands find them. In development,
        where nothing is reachable from outside, secrets shared with the admin app are the published ones.
        """
        own = self.folder.secrets()
        if self.settings.is_safe_environment:
            own = {"data_encryption_keys": own["data_encryption_keys"], "token_secret_key": DEVELOPMENT_TOKEN_KEY}
        self.overrides |= {name: value for name, value in own.items() if not os.environ.get(name.upper())}
        self.settings = configuration.load(starts_servers=True, **self.overrides)
        addresses = [name for name in ADDRESSES if name in self.settings.model_fields_set]
        self.overrides |= {name: getattr(self.settings, name) for name in (*SECRETS, *addresses)}

    def _start(self, stop: threading.Event) -> None:
        preparing = self._spawn_prepare()
        try:
            self._start_databases()
            self._wait_for_prepare(preparing, stop)
        finally:
            if preparing.poll() is None:
                preparing.kill()
                preparing.wait()
        self._start_processes()
        self.folder.publish(self._changed_environment())
        self._wait_until_ready(stop)
        # beat starts last: it would slow down the processes that the user is waiting for
        self._start_process("beat", WORKERS)

    # -- databases

    def _start_databases(self) -> None:
        settings = self.settings
        starts: dict[str, Callable[[], Server]] = {}
        if not settings.sqlalchemy_database_uri:
            starts["postgres"] = lambda: start_postgres(self.folder.path)
        if not settings.redis_url and (settings.redis_enabled or not settings.broker_url):
            starts["valkey"] = lambda: start_valkey(self.folder.path, url=self.overrides.get("redis_url", ""))
        fields = {"postgres": "sqlalchemy_database_uri", "valkey": "redis_url"}
        with ThreadPoolExecutor(max_workers=2) as pool:
            futures = {name: pool.submit(start) for name, start in starts.items()}
        problem: EmbeddedError | None = None
        for name, future in futures.items():
            try:
                server = future.result()
            except EmbeddedError as error:
                problem = problem or error
                continue
            self.overrides[fields[name]] = server.url
            self.supervisor.add(name, starts[name], level=DATABASES, running=server)
            self.say(name, f"started (process {server.pid})")
        if problem:
            raise problem

    # -- migrations and the demo

    def _spawn_prepare(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*_program(), "prepare", "--demo", str(self.folder.demo)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self._environment("prepare"),
            start_new_session=True,
        )

    def _wait_for_prepare(self, preparing: subprocess.Popen[str], stop: threading.Event) -> None:
        """Send it the addresses of the databases, and wait until it has ended."""
        answer: list[str] = []

        def talk() -> None:
            answer.extend(preparing.communicate(json.dumps(self.overrides, default=str)))

        talker = threading.Thread(target=talk, daemon=True)
        talker.start()
        deadline = time.monotonic() + PREPARE_SECONDS
        while talker.is_alive():
            talker.join(LOOK_SECONDS)
            if stop.is_set():
                raise _StoppedError
            self.supervisor.check()
            if time.monotonic() > deadline:
                raise UpError(f"migrations were not done after {PREPARE_SECONDS:.0f} seconds")
        if preparing.returncode:
            path = self._log("prepare")
            path.write_text("".join(answer))
            lines = [line for line in "".join(answer).splitlines() if line.strip()] or ["it said nothing"]
            known = lines[-1].startswith("Error: ")
            raise UpError(lines[-1].removeprefix("Error: ") + ("" if known else f" (see {path})"))
        self.say("database", "migrated, and ready")

    # -- our own processes

    def _start_processes(self) -> None:
        settings = self.settings
        if settings.is_safe_environment and not settings.part(EmailProviderSettings).sandbox_url:
            self.overrides["sandbox_url"] = f"http://127.0.0.1:{free_port()}"
            self._start_process("sandbox", PROVIDERS)
        if not settings.prometheus_multiproc_dir:
            metrics = self.folder.run / "metrics"
            shutil.rmtree(metrics, ignore_errors=True)
            metrics.mkdir()
            self.overrides["prometheus_multiproc_dir"] = metrics
        if "WORKER_STOP_SECONDS" not in os.environ:
            # time to return unfinished tasks to the queue before it is killed
            self.overrides["worker_stop_seconds"] = int(GRACE_SECONDS[WORKERS] / 2)
        self._start_process("web", WEB)
        for number in range(1, self.workers + 1):
            name = "worker" if self.workers == 1 else f"worker-{number}"
            self._start_process(name, WORKERS, "worker", "--name", name)

    def _start_process(self, name: str, level: int, *command: str) -> None:
        log = self._log(name)
        self._log_starts[name] = log.stat().st_size if log.exists() else 0
        words = command or (name,)

        def start() -> Child:
            return Child(
                [*_program(), *words],
                log=log,
                environment=self._environment(words[0]),
                grace_seconds=GRACE_SECONDS[level],
            )

        child = self.supervisor.add(name, start, level=level)
        self.say(name, f"started (process {child.pid})")

    def _wait_until_ready(self, stop: threading.Event) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not _answers(self.settings.web_host, self.settings.port):
            self.supervisor.check()
            if stop.wait(LOOK_SECONDS):
                raise _StoppedError
            if time.monotonic() > deadline:
                raise UpError(f"the API did not answer after {READY_SECONDS:.0f} seconds (see {self._log('web')})")

    # -- helpers

    def _log(self, name: str) -> Path:
        return self.folder.logs / f"{name}.log"

    def _changed_environment(self) -> dict[str, str]:
        return {
            name.upper(): json.dumps(value) if isinstance(value, list | dict) else str(value)
            for name, value in self.overrides.items()
        }

    def _environment(self, kind: str) -> dict[str, str]:
        return {
            **os.environ,
            **self._changed_environment(),
            "NOTIFY_APP_NAME": os.environ.get("NOTIFY_APP_NAME", kind),
            "PYTHONUNBUFFERED": "1",
        }

    def _welcome(self) -> None:
        if self.quiet:
            return
        base = self.overrides.get("api_host_name", self.settings.api_host_name)
        lines = [
            "",
            f"Ready after {time.monotonic() - self.began:.1f} s. Ctrl-C stops everything and keeps the data.",
            "",
            f"  API            {base}",
            f"  Documentation  {base}/docs",
            *([f"  Console        {base}/console"] if self.settings.is_safe_environment else []),
            *([] if self.settings.is_safe_environment else [f"  Secrets        {_short(self.folder.secrets_file)}"]),
            *(['  Admin app      eval "$(notify admin-env)"'] if self.settings.is_safe_environment else []),
            *(["  Callbacks      notify listen"] if self.settings.is_safe_environment else []),
            f"  Data and logs  {_short(self.folder.path)} ({_short(self.folder.logs)})",
        ]
        lines += self._welcome_to_demo(base)
        click.echo("\n".join(lines) + "\n")

    def _welcome_to_demo(self, base: str) -> list[str]:
        try:
            demo = json.loads(self.folder.demo.read_text())
        except (OSError, ValueError):
            return []
        if not self.settings.is_safe_environment:
            return []
        program = _typed_program()
        body = json.dumps(
            {
                "phone_number": "07700900123",
                "template_id": demo["templates"]["sms"],
                "personalisation": {"name": "Ann", "date": "Monday"},
            }
        )
        data_dir = "" if self.folder.path == Path(".notify").absolute() else f"NOTIFY_DATA_DIR={self.folder.path} "
        return [
            "",
            f"API keys of the demo service (and more in {_short(self.folder.demo)})",
            *(f"  {kind:<13}  {key}" for kind, key in demo["api_keys"].items()),
            "",
            "Send a message, in another terminal",
            f"  {data_dir}{program} send sms --to 07700900123 -p name=Ann -p date=Monday",
            "or",
            f"  curl {base}/v2/notifications/sms -H 'Content-Type: application/json' \\",
            f"    -H 'Authorization: ApiKey-v1 {demo['api_keys']['normal']}' \\",
            f"    -d '{body}'",
        ]


def _program() -> list[str]:
    return [sys.executable, "-m", "notify.cli"]


def _typed_program() -> str:
    """The command that starts `notify` in this terminal."""
    found = shutil.which("notify")
    ours = Path(sys.executable).parent / "notify"
    if not ours.exists() or (found and Path(found).resolve() == ours.resolve()):
        return "notify"
    return _short(ours)


def _short(path: Path) -> str:
    """A path as seen from the current folder, if it is below it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _answers(host: str, port: int) -> bool:
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here, only compared
    connection = http.client.HTTPConnection(local, port, timeout=5)
    try:
        connection.request("GET", "/_status")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
