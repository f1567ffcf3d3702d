"""Prometheus metrics of requests, database and tasks (contract: workers 19; docs/decisions/0012-observability.md).

Each room declares its own in its `metrics.py`, with classes imported from here: the library must not be imported before
this module. The processes of a host keep their metrics in files of a shared folder (`PROMETHEUS_MULTIPROC_DIR`), so
that any of them can show the sum; without that folder a process keeps its own metrics in memory.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

from notify.infra import metrics_folder

metrics_folder.settle()  # the library reads the variable when it is imported

# ruff: noqa: E402
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

HTTP_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
TASK_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 240, 480, 900, 1800)
QUICK_BUCKETS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)

REQUESTS: Final = Counter("http_server_requests", "Answered requests", ["method", "path", "status"])
REQUEST_SECONDS: Final = Histogram(
    "http_server_request_duration_seconds",
    "Time until the answer began",
    ["method", "path", "status"],
    buckets=HTTP_BUCKETS,
)
REQUEST_EXCEPTIONS: Final = Counter(
    "http_server_exceptions", "Requests that ended in an unforeseen exception", ["method", "path", "exception"]
)
REQUESTS_IN_PROGRESS: Final = Gauge(
    "concurrent_web_request_count", "Requests being answered", multiprocess_mode="livesum"
)

CONNECTIONS: Final = Gauge(
    "db_connection_total_connected", "Open database connections", ["bind"], multiprocess_mode="livesum"
)
CONNECTIONS_IN_USE: Final = Gauge(
    "db_connection_total_checked_out", "Database connections in use", ["bind"], multiprocess_mode="livesum"
)


TASK_SECONDS: Final = Histogram(
    "celery_task_duration_seconds",
    "Tasks",
    ["celery_task_name", "celery_task_status", "sqs_queue_name"],
    buckets=TASK_BUCKETS,
)
TASK_CPU_SECONDS: Final = Histogram(
    "celery_task_cpu_time_seconds",
    "Processor time of tasks' own threads",
    ["celery_task_name", "celery_task_status", "sqs_queue_name"],
    buckets=TASK_BUCKETS,
)
TASK_WAIT_SECONDS: Final = Histogram(
    "celery_task_wait_seconds", "From when a task was due to its start", ["sqs_queue_name"], buckets=TASK_BUCKETS
)

__all__ = ["HTTP_BUCKETS", "QUICK_BUCKETS", "Counter", "Gauge", "Histogram", "child"]

M = TypeVar("M", Counter, Gauge, Histogram)


@cache
def child(metric: M, *labels: str) -> M:
    """A metric with its labels. Cached, because the look-up takes most of the time of counting."""
    return metric.labels(*labels)


def begin_process() -> None:
    """Open this process's files now. Opened at the first request, they could meet a full disk, and the request would
    fail. Call it in a forked process.
    """
    REQUESTS_IN_PROGRESS.inc(0)  # the library opens the files of every metric when it sees another process id


def request_began() -> None:
    """A request is being answered."""
    REQUESTS_IN_PROGRESS.inc()


def request_ended(method: str, path: str, status: int, seconds: float) -> None:
    """The answer to a request began. `path` is the route's pattern, not the requested path. Time is in seconds."""
    code = str(status)
    child(REQUESTS, method, path, code).inc()
    child(REQUEST_SECONDS, method, path, code).observe(seconds)


def request_left() -> None:
    """A request has been answered completely."""
    REQUESTS_IN_PROGRESS.dec()


def request_raised(method: str, path: str, exception: str) -> None:
    """A request ended in an unhandled exception."""
    child(REQUEST_EXCEPTIONS, method, path, exception).inc()


def connections(bind: str, number: int) -> None:
    """Add a (negative) number of open database connections."""
    child(CONNECTIONS, bind).inc(number)


def connections_in_use(bind: str, number: int) -> None:
    """Add a (negative) number of database connections in use."""
    child(CONNECTIONS_IN_USE, bind).inc(number)


def task_began(queue: str, waited: float | None) -> None:
    """A task began `waited` seconds after it was due (None: unknown)."""
    if waited is not None:
        child(TASK_WAIT_SECONDS, queue).observe(max(waited, 0.0))


def task_ended(name: str, status: str, queue: str, seconds: float, cpu_seconds: float) -> None:
    """A task ended with success, retry or failure."""
    child(TASK_SECONDS, name, status, queue).observe(seconds)
    child(TASK_CPU_SECONDS, name, status, queue).observe(cpu_seconds)


# -- showing them

_FILE: Final = re.compile(r"(?P<kind>counter|histogram|gauge_live\w+)_(?P<pid>\d+)\.db")
_ARCHIVE: Final = "{kind}_ended.db"


class SharedFolder:
    """The files of all processes, as a collector. Counters of ended processes are folded into one file, so that no sum
    ever falls; their gauges are dropped.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """The sums."""
        with self._locked():
            self._fold()
            collector = MultiProcessCollector(None, str(self._folder))  # type: ignore[no-untyped-call]
            return list(collector.collect())  # type: ignore[no-untyped-call]

    @contextmanager
    def _locked(self) -> Iterator[None]:
        # a reader in the middle of folding would count twice
        with (self._folder / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _fold(self) -> None:
        ended: dict[str, list[Path]] = {}
        for path in self._folder.glob("*.db"):
            match = _FILE.fullmatch(path.name)
            if match and not _is_alive(int(match["pid"])):
                ended.setdefault(match["kind"], []).append(path)
        for kind, paths in ended.items():
            if not kind.startswith("gauge"):
                self._archive(kind, paths)
            for path in paths:
                path.unlink(missing_ok=True)

    def _archive(self, kind: str, paths: list[Path]) -> None:
        archive = self._folder / _ARCHIVE.format(kind=kind)
        sources = [*paths, archive] if archive.exists() else paths
        merged = MultiProcessCollector.merge([str(path) for path in sources], accumulate=False)  # type: ignore[no-untyped-call]
        scratch = archive.with_suffix(".new")
        scratch.unlink(missing_ok=True)
        file: Any = MmapedDict(str(scratch))  # type: ignore[no-untyped-call]
        for metric in merged:
            for sample in metric.samples:
                names, values = list(sample.labels), list(sample.labels.values())
                key = mmap_key(metric.name, sample.name, names, values, metric.documentation)
                file.read_value(key)
                file.write_value(key, sample.value, 0.0)
        file.close()
        scratch.replace(archive)


def _is_alive(pid: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True


def registry() -> CollectorRegistry:
    """The metrics that this process can show: those of all processes of the host, or its own."""
    folder = os.environ.get(metrics_folder.VARIABLE)
    if not folder:
        return REGISTRY
    shared = CollectorRegistry()
    shared.register(SharedFolder(Path(folder)))
    return shared
