"""Logs as JSON lines, with the id of the request or task on each, and nothing personal (contract: content 18.2)."""

from __future__ import annotations

import atexit
import logging
import os
import re
import sys
import threading
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from typing import Any, Final

import orjson
import structlog
from structlog.processors import CallsiteParameter

UNKNOWN = {
    "requestId": "no-request-id",
    "span_id": "no-span-id",
    "service_id": "no-service-id",
    "current_user_id": None,
}
FLUSH_SECONDS = 2.0
MAX_LINES = 20_000
"""Most lines that wait to be written; more are dropped."""
MAX_LINES_AT_ONCE = 500
PLACE = [CallsiteParameter.PATHNAME, CallsiteParameter.LINENO, CallsiteParameter.MODULE]


_output: _LineWriter | None = None
# one list per process: loggers keep a reference to it, so a change of format replaces its items
_processors: list[structlog.typing.Processor] = []


def log_request(*, application: str, request_id: str, fields: dict[str, Any]) -> bool:
    """Log a line about a request, by a shortcut because there are many. False if the log format is not JSON."""
    if _output is None or not _output.takes_json:
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


def flush_logs() -> None:
    """Write the waiting lines before the process ends without `atexit`."""
    if _output is not None:
        _output.flush()


def configure_logs(*, application: str, level: str, form: str) -> None:
    """Send every log line of the process, ours and those of libraries, to standard output in one format."""

    def describe(_logger: object, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["time"] = datetime.now(UTC).isoformat(timespec="microseconds")[:-6]
        event["application"] = application
        event["levelname"] = name.upper()
        event["logType"] = "application"
        event["message"] = event.pop("event", "")
        module = event.pop("module", "")
        event["name"] = event.pop("logger_name", None) or module
        for key, value in UNKNOWN.items():
            event.setdefault(key, value)
        return event

    number = logging.getLevelNamesMapping()[level]
    global _output  # noqa: PLW0603 - a process has one standard output
    _output = _LineWriter(_standard_output(), takes_json=form == "json")
    if form == "json":
        form_of_lines: list[structlog.typing.Processor] = [
            structlog.processors.CallsiteParameterAdder(PLACE, additional_ignores=["logging", __name__]),
            structlog.processors.ExceptionRenderer(describe_exception),
            describe,
            structlog.processors.JSONRenderer(serializer=_dump),
        ]
    else:
        form_of_lines = [
            structlog.processors.TimeStamper(fmt="%H:%M:%S"),
            structlog.processors.ExceptionRenderer(describe_exception),
            structlog.dev.ConsoleRenderer(),
        ]
    _processors[:] = [structlog.contextvars.merge_contextvars, *form_of_lines]
    structlog.configure(
        processors=_processors,
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_output,
        cache_logger_on_first_use=True,
    )
    handler = _Forward()
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


class _LineWriter:
    """Writes lines to standard output in a thread, so that no request waits for output.

    Lines are dropped, and counted, if they cannot be written (a full disk, a closed pipe), or if more than `MAX_LINES`
    wait. structlog calls the object once for each logger (it is its own factory), and then `msg`, under the name of any
    level, for each line.
    """

    def __init__(self, descriptor: int, *, takes_json: bool) -> None:
        self.takes_json = takes_json
        self._descriptor = descriptor
        self._dropped = 0
        self._is_at_line_start = True
        self._begin_anew()
        atexit.register(self.flush)
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        """Reset after a fork: the child has neither the thread nor the lines of its parent."""
        self._lines: SimpleQueue[bytes | threading.Event] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self, *_arguments: Any) -> _LineWriter:
        return self

    def msg(self, line: bytes | str) -> None:
        if self._lines.qsize() >= MAX_LINES:
            with self._lock:
                self._dropped += 1
            return
        self._lines.put(line.encode(errors="replace") if isinstance(line, str) else line)
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="log", daemon=True)
                    self._thread.start()

    debug = info = warning = warn = error = exception = critical = fatal = log = msg

    def _run(self) -> None:
        while True:
            taken = [self._lines.get()]
            with suppress(Empty):
                while len(taken) < MAX_LINES_AT_ONCE:
                    taken.append(self._lines.get_nowait())
            if lines := [one for one in taken if isinstance(one, bytes)]:
                self._write(lines)
            self._report_dropped()
            for one in taken:
                if isinstance(one, threading.Event):
                    one.set()

    def _write(self, lines: list[bytes]) -> None:
        text = b"\n".join(lines) + b"\n"
        if not self._is_at_line_start:
            text = b"\n" + text
        written = 0
        try:
            while written < len(text):
                written += os.write(self._descriptor, text[written:] if written else text)
        except OSError:
            with self._lock:
                self._dropped += text.count(b"\n", written)
        if written:
            self._is_at_line_start = text[written - 1 : written] == b"\n"

    def _report_dropped(self) -> None:
        if not self._dropped:
            return
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        from notify.infra import process_metrics

        process_metrics.log_lines_dropped(dropped)

    def flush(self) -> None:
        """Wait until everything logged so far is written, but at most some seconds. For the end of a process."""
        if self._thread is not None and self._thread.is_alive():
            reached = threading.Event()
            self._lines.put(reached)
            reached.wait(FLUSH_SECONDS)


def _standard_output() -> int:
    try:
        return sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):  # standard output was replaced or closed
        return 1


def _dump(value: Any, **_options: Any) -> bytes:
    return orjson.dumps(value, default=str)


def harmless(text: str) -> str:
    """A text of unknown content, such as an exception's message, without what may be personal or secret: everything
    after its first line, quoted parts, email addresses, numbers as long as phone numbers, and credentials.
    """
    first = text.strip().partition("\n")[0]
    text = _ADDRESS.sub("…", _CREDENTIALS.sub("…", _QUOTED.sub("'…'", first)))
    return _ID_OR_NUMBER.sub(lambda match: match["id"] or "…", text)


_QUOTED: Final = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|\([\"'].*[\"']\)""")
_ADDRESS: Final = re.compile(r"(?:[^\s@<>,;:=]+|=+)@[^\s@<>,;:=]+")
_CREDENTIALS: Final = re.compile(r"(?<=://)[^\s/@]+@|(?<=[Bb]earer )\S+|(?<=[Bb]asic )\S+")
_ID_OR_NUMBER: Final = re.compile(
    r"(?P<id>\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b)|(?<![0-9A-Za-z])\+?\d(?:[\s().-]*\d){6,}"
)


def describe_exception(exc_info: structlog.typing.ExcInfo) -> str:
    """An exception with its causes, for the log: classes, places in the code, and the harmless parts of messages."""
    error: BaseException | None = exc_info[1]
    parts: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        text = harmless(str(error))
        name = type(error).__qualname__
        frames = "".join(traceback.format_tb(error.__traceback__))
        parts.append(f"{frames}{name}: {text}" if text else f"{frames}{name}")
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return "\n\nwhich followed\n\n".join(parts)


class _Forward(logging.Handler):
    """Sends log lines of libraries to the same output. Their texts may contain anything, so only warnings and above
    pass, and only the harmless parts of them.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Log one record of a library."""
        logger = structlog.get_logger(record.name)
        method = getattr(logger, record.levelname.lower(), logger.warning)
        text = harmless(record.getMessage())
        if record.exc_info:
            method(text, logger_name=record.name, exc_info=record.exc_info)
        else:
            method(text, logger_name=record.name)
