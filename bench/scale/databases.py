"""The databases that are compared: one cluster, so that both have the same server, settings and disk."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg

from notify import settings
from notify.infra.parts import Parts, build_parts
from notify.infra.postgres import start_postgres
from notify.infra.times import local_date, local_midnight, utc_now

SIDES: Final = {
    "empty": "nothing but the messages that are measured",
    "day": "what facts and retention are about, and nothing else",
    "full": "years of history, and the live messages of nine days",
}


class Cluster:
    """A running PostgreSQL with a database for each side."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)  # PostgreSQL may run as another account
        self.folder = folder
        self._server = start_postgres(folder)

    def url(self, side: str) -> str:
        """The address of a side's database, which is made where it is missing."""
        name = f"notify_{side}"
        with psycopg.connect(self._server.url, autocommit=True) as connection:
            if not connection.execute("SELECT FROM pg_database WHERE datname = %s", [name]).rowcount:
                connection.execute(f"CREATE DATABASE {name}".encode())
        return self._server.url.replace("/notify?", f"/{name}?")

    def cpu(self) -> float:
        """CPU seconds of the server up to now, of processes that have ended too."""
        parent = psutil.Process(self._server.pid)
        total = _seconds(parent, children=True)
        for process in parent.children():
            try:
                total += _seconds(process)
            except psutil.NoSuchProcess:
                continue
        return total

    def cpu_of_clients(self) -> dict[int, float]:
        """CPU seconds of each connection's process that is there: without autovacuum and checkpoints."""
        found = {}
        for process in psutil.Process(self._server.pid).children():
            try:
                if re.match(r"postgres: notify notify_\w+ ", " ".join(process.cmdline())):
                    found[process.pid] = _seconds(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def close(self) -> None:
        """Stop it; the data stays."""
        self._server.stop()


def used(before: Mapping[int, float], after: Mapping[int, float]) -> float:
    """The CPU seconds between two looks at `cpu_of_clients`."""
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())


def _seconds(process: psutil.Process, *, children: bool = False) -> float:
    times: Any = process.cpu_times()
    ended = times.children_user + times.children_system if children else 0.0
    return float(times.user + times.system + ended)


@contextmanager
def running(folder: Path) -> Iterator[Cluster]:
    """The cluster of a folder, stopped afterwards."""
    cluster = Cluster(folder)
    try:
        yield cluster
    finally:
        cluster.close()


def open_parts(url: str) -> Parts:
    """The product's parts on a database, with keys that all databases share, and no cache."""
    return build_parts(
        settings.load(notify_environment="test", sqlalchemy_database_uri=url, redis_url="redis://127.0.0.1:9")
    )


class Days:
    """The days that messages lie in, as of one moment that is kept in the cluster's folder."""

    def __init__(self, folder: Path) -> None:
        path = folder / "loaded_at"
        if not path.exists():
            path.write_text(utc_now().isoformat())
        self.now = datetime.fromisoformat(path.read_text())
        self.today = local_date(self.now)
        self.yesterday = self.today - timedelta(days=1)
        self.kept_since = local_midnight(self.today - timedelta(days=7))
        """What is older is due for the history."""

    def midnight(self, days_ago: int) -> datetime:
        """When a local day began (UTC)."""
        return local_midnight(self.today - timedelta(days=days_ago)).astimezone(UTC)
