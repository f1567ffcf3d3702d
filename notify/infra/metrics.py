"""Counters and timings for Prometheus (contract: workers 19; docs/decisions/0012-seen.md).

Every name is here, and every place that counts calls a function of this module. The processes of a host count in files
of a folder they share (`PROMETHEUS_MULTIPROC_DIR`), so that any one of them can show the sum; without that folder a
process counts in its memory, for itself.
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

metrics_folder.settle()  # the library decides when it is imported

# ruff: noqa: E402
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, Metric
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector

HTTP_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
TASK_BUCKETS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120, 240, 480, 900, 1800)
SEND_BUCKETS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600)
RECEIPT_BUCKETS: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 28800, 57600, 108000)
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
RATE_LIMIT_SECONDS: Final = Histogram(
    "redis_exceeded_rate_limit_duration_seconds",
    "A look at the limits of a batch of requests",
    ["algorithm"],
    buckets=QUICK_BUCKETS,
)
DAILY_LIMIT_SECONDS: Final = Histogram(
    "redis_get_and_incr_daily_limit_duration_seconds", "Counting a batch of messages", buckets=QUICK_BUCKETS
)

NOTIFICATIONS: Final = Counter(
    "notifications", "Messages that came to a status", ["notification_type", "key_type", "status"]
)
SEND_SECONDS: Final = Histogram(
    "notification_send_duration_seconds",
    "From accepting a message to handing it over",
    ["key_type", "notification_type", "provider_name"],
    buckets=SEND_BUCKETS,
)
RECEIPT_SECONDS: Final = Histogram(
    "notification_callback_duration_seconds",
    "From accepting a message to the receipt",
    ["key_type", "notification_status", "notification_type", "provider_name", "notification_sms_international"],
    buckets=RECEIPT_BUCKETS,
)
INBOUND_SMS: Final = Counter("inbound_sms", "Received texts", ["provider"])

PROVIDER_SECONDS: Final = Histogram(
    "provider_request_duration_seconds",
    "Calls to a provider; error_type is empty where it took the message",
    ["notification_type", "provider_name", "error_type"],
    buckets=HTTP_BUCKETS,
)
PROVIDER_FAILURES: Final = Counter(
    "provider_failures", "Calls that a provider did not take, by kind", ["notification_type", "provider_name", "kind"]
)
BREAKERS: Final = Gauge(
    "provider_breakers",
    "Worker processes whose breaker of a provider is in a state",
    ["notification_type", "provider_name", "state"],
    multiprocess_mode="livesum",
)
NOT_DELIVERED_WITHIN: Final = Gauge(
    "provider_sms_legacy_not_delivered_within",
    "Share of texts not delivered within the window",
    ["provider_name", "time_window_delivery", "time_window_evaluation"],
    multiprocess_mode="livemostrecent",
)

CALLBACKS: Final = Counter("service_callbacks", "Tries to tell a service something", ["callback_type", "outcome"])
CALLBACK_SECONDS: Final = Histogram(
    "service_callback_request_duration_seconds",
    "Calls to services",
    ["callback_type", "error_type"],
    buckets=HTTP_BUCKETS,
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

M = TypeVar("M", Counter, Gauge, Histogram)


@cache
def _child(metric: M, *labels: str) -> M:
    """A metric with its labels. Looking it up is the greater part of counting, hence the cache."""
    return metric.labels(*labels)


def request_began() -> None:
    """A request is being answered."""
    REQUESTS_IN_PROGRESS.inc()


def request_ended(method: str, path: str, status: int, seconds: float) -> None:
    """Its answer began. `path` is the route, not what was asked for."""
    code = str(status)
    _child(REQUESTS, method, path, code).inc()
    _child(REQUEST_SECONDS, method, path, code).observe(seconds)


def request_left() -> None:
    """It is out of our hands."""
    REQUESTS_IN_PROGRESS.dec()


def request_raised(method: str, path: str, exception: str) -> None:
    """A request ended in an exception nobody foresaw."""
    _child(REQUEST_EXCEPTIONS, method, path, exception).inc()


def connections(bind: str, number: int) -> None:
    """So many more, or fewer, connections to the database are open."""
    _child(CONNECTIONS, bind).inc(number)


def connections_in_use(bind: str, number: int) -> None:
    """So many more, or fewer, are in use."""
    _child(CONNECTIONS_IN_USE, bind).inc(number)


def limits_looked_at(seconds: float) -> None:
    """The limits of a batch of requests were asked for."""
    _child(RATE_LIMIT_SECONDS, "token_bucket").observe(seconds)


def limits_counted(seconds: float) -> None:
    """A batch of messages was counted towards its daily limits."""
    DAILY_LIMIT_SECONDS.observe(seconds)


def messages_became(notification_type: str, key_type: str, status: str, number: int = 1) -> None:
    """Messages came to a status. `created` counts what was accepted."""
    _child(NOTIFICATIONS, notification_type, key_type, status).inc(number)


def message_sent(notification_type: str, key_type: str, provider: str, seconds: float) -> None:
    """A message was handed over, so long after it was accepted."""
    _child(SEND_SECONDS, key_type, notification_type, provider).observe(seconds)


def receipt_applied(
    notification_type: str, key_type: str, provider: str, status: str, international: bool, seconds: float
) -> None:
    """A receipt changed a message's status, so long after it was accepted."""
    word = "true" if international else "false"
    _child(RECEIPT_SECONDS, key_type, status, notification_type, provider, word).observe(seconds)


def text_received(provider: str) -> None:
    """A text was received."""
    _child(INBOUND_SMS, provider).inc()


def provider_called(notification_type: str, provider: str, seconds: float, failure: str = "") -> None:
    """A provider was called; `failure` is the kind of error, where there was one."""
    _child(PROVIDER_SECONDS, notification_type, provider, failure).observe(seconds)
    if failure:
        _child(PROVIDER_FAILURES, notification_type, provider, failure).inc()


def breaker_moved(notification_type: str, provider: str, before: str, state: str) -> None:
    """This process's breaker of a provider came from one state to another; from an empty one when it is new."""
    if before:
        _child(BREAKERS, notification_type, provider, before).dec()
    _child(BREAKERS, notification_type, provider, state).inc()


def not_delivered_within(provider: str, window_seconds: int, evaluation_seconds: int, share: float) -> None:
    """Of the texts of a provider in the evaluated time, this share was not delivered within the window."""
    _child(NOT_DELIVERED_WITHIN, provider, str(window_seconds), str(evaluation_seconds)).set(share)


def service_called(callback_type: str, outcome: str, seconds: float | None = None, failure: str = "") -> None:
    """A try to tell a service something came to an outcome: `taken`, `refused` or `failed`, with the time that the call
    took and the kind of error; or `given_up`, after the last one failed.
    """
    _child(CALLBACKS, callback_type, outcome).inc()
    if seconds is not None:
        _child(CALLBACK_SECONDS, callback_type, failure).observe(seconds)


def task_began(queue: str, waited: float | None) -> None:
    """A task began, so long after it was due (null: unknown)."""
    if waited is not None:
        _child(TASK_WAIT_SECONDS, queue).observe(max(waited, 0.0))


def task_ended(name: str, status: str, queue: str, seconds: float, cpu_seconds: float) -> None:
    """A task ended with success, retry or failure."""
    _child(TASK_SECONDS, name, status, queue).observe(seconds)
    _child(TASK_CPU_SECONDS, name, status, queue).observe(cpu_seconds)


# -- showing them

_FILE: Final = re.compile(r"(?P<kind>counter|histogram|gauge_live\w+)_(?P<pid>\d+)\.db")
_ARCHIVE: Final = "{kind}_ended.db"


class SharedFolder:
    """The files of all processes, as a collector. What processes that have ended had counted is kept, in one file for
    all of them, so that no sum ever falls; what was true of them only while they lived is dropped.
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
        # whoever reads between two steps of folding would count twice
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
    """What this process can show: the counts of all processes of the host, or its own."""
    folder = os.environ.get(metrics_folder.VARIABLE)
    if not folder:
        return REGISTRY
    shared = CollectorRegistry()
    shared.register(SharedFolder(Path(folder)))
    return shared
