"""Logs as JSON lines, with the id of the request or task on each, and nothing personal (contract: content 18.2)."""

from __future__ import annotations

import atexit
import logging
import sys
import threading
from collections.abc import MutableMapping
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any

import orjson
import structlog

UNKNOWN = {"requestId": "no-request-id", "span_id": "no-span-id", "service_id": "no-service-id"}


_output: _LineWriter | None = None
# one list for the process: a logger that has been used keeps the list it met, so a new form must go into the same one
_processors: list[structlog.typing.Processor] = []


def log_request(*, application: str, request_id: str, fields: dict[str, Any]) -> bool:
    """Log a line about a request, on the short way: there is one for each. False where lines are not JSON."""
    if _output is None:
        return False
    _output.msg(
        orjson.dumps(
            {
                "time": datetime.now(UTC).isoformat(timespec="microseconds")[:-6],
                "application": application,
                "name": f"{application}.request",
                "levelname": "INFO",
                "logType": "application",
                "message": "request",
                "requestId": request_id,
                **fields,
            }
        )
    )
    return True


def configure_logs(*, application: str, level: str, form: str) -> None:
    """Send every log line of the process, ours and the libraries', to standard output in one form."""

    def describe(_logger: object, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["time"] = datetime.now(UTC).isoformat(timespec="microseconds")[:-6]
        event["application"] = application
        event["levelname"] = name.upper()
        event["logType"] = "application"
        event["message"] = event.pop("event", "")
        for key, value in UNKNOWN.items():
            event.setdefault(key, value)
        return event

    number = logging.getLevelNamesMapping()[level]
    global _output  # noqa: PLW0603 - a process has one standard output
    _output = _LineWriter() if form == "json" else None
    if _output is not None:
        form_of_lines: list[structlog.typing.Processor] = [
            structlog.processors.format_exc_info,
            describe,
            structlog.processors.JSONRenderer(serializer=_dump),
        ]
    else:
        form_of_lines = [structlog.processors.TimeStamper(fmt="%H:%M:%S"), structlog.dev.ConsoleRenderer()]
    _processors[:] = [structlog.contextvars.merge_contextvars, *form_of_lines]
    structlog.configure(
        processors=_processors,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_output or structlog.PrintLoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = _Forward()
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


class _LineWriter:
    """Writes lines in a thread of its own, so that no request waits for the output, or for another request's line.

    It is its own logger factory: structlog calls it once per logger, and then `msg` (by any level's name) per line.
    """

    def __init__(self) -> None:
        self._lines: SimpleQueue[bytes] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        atexit.register(self.flush)

    def __call__(self, *_arguments: Any) -> _LineWriter:
        return self

    def msg(self, line: bytes) -> None:
        self._lines.put(line)
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                    self._thread.start()

    debug = info = warning = warn = error = exception = critical = fatal = log = msg

    def _run(self) -> None:
        while True:
            self._write([self._lines.get()])

    def _write(self, lines: list[bytes]) -> None:
        while True:
            try:
                lines.append(self._lines.get_nowait())
            except Empty:
                break
        if lines:
            sys.stdout.buffer.write(b"\n".join(lines) + b"\n")
            sys.stdout.buffer.flush()

    def flush(self) -> None:
        """Write what waits, before the process ends."""
        self._write([])


def _dump(value: Any, **_options: Any) -> bytes:
    return orjson.dumps(value, default=str)


class _Forward(logging.Handler):
    """Hands what libraries log to the same output. Their texts may hold anything: only warnings and worse pass."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record of a library."""
        logger = structlog.get_logger(record.name)
        method = getattr(logger, record.levelname.lower(), logger.warning)
        if record.exc_info:
            method(record.getMessage(), logger_name=record.name, exc_info=record.exc_info)
        else:
            method(record.getMessage(), logger_name=record.name)
