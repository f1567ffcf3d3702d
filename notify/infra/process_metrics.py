"""Counters of failures of the processes themselves."""

from __future__ import annotations

from typing import Final

from notify.infra import metrics_folder

metrics_folder.settle()  # the library reads the variable when it is imported

# ruff: noqa: E402
from prometheus_client import Counter

HUNG_PROCESSES: Final = Counter("hung_processes", "Processes without a heartbeat that were replaced", ["process"])
LOG_LINES_DROPPED: Final = Counter("log_lines_dropped", "Log lines that could not be written")
CONNECTIONS_SHUT_DOWN: Final = Counter(
    "http_server_connections_shut_down", "Connections of clients that were beyond a limit", ["reason"]
)
REQUESTS_REFUSED: Final = Counter("http_server_requests_refused", "Requests refused because of overload")


def process_replaced(name: str) -> None:
    """This process replaces one that hung. `name` is the kind of process, such as `web` or `worker`."""
    HUNG_PROCESSES.labels(name).inc()


def log_lines_dropped(number: int) -> None:
    """Log lines were lost."""
    LOG_LINES_DROPPED.inc(number)


def connections_shut_down(reason: str, number: int) -> None:
    """Connections were shut down. `reason` is `silent`, or `too_many` (of one address)."""
    CONNECTIONS_SHUT_DOWN.labels(reason).inc(number)


def request_refused() -> None:
    """A request was answered with 503 at once."""
    REQUESTS_REFUSED.inc()
