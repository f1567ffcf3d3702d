"""Logs as JSON lines, with the id of the request or task on each, and nothing personal (contract: content 18.2)."""

from __future__ import annotations

import atexit
import logging
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
PLACE = [CallsiteParameter.PATHNAME, CallsiteParameter.LINENO, CallsiteParameter.MODULE]


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


def flush_logs() -> None:
    """Write what waits to be written, when the process is about to end in a way that asks nobody."""
    if _output is not None:
        _output.flush()


def configure_logs(*, application: str, level: str, form: str) -> None:
    """Send every log line of the process, ours and the libraries', to standard output in one form."""

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
    _output = _LineWriter() if form == "json" else None
    if _output is not None:
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
        self._lines: SimpleQueue[bytes | threading.Event] = SimpleQueue()
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
            taken = [self._lines.get()]
            with suppress(Empty):
                while True:
                    taken.append(self._lines.get_nowait())
            lines = [one for one in taken if isinstance(one, bytes)]
            if lines:
                sys.stdout.buffer.write(b"\n".join(lines) + b"\n")
                sys.stdout.buffer.flush()
            for one in taken:
                if isinstance(one, threading.Event):
                    one.set()

    def flush(self) -> None:
        """Return when all that was logged until now is written, such as before the process ends."""
        if self._thread is not None and self._thread.is_alive():
            reached = threading.Event()
            self._lines.put(reached)
            reached.wait(FLUSH_SECONDS)


def _dump(value: Any, **_options: Any) -> bytes:
    return orjson.dumps(value, default=str)


def harmless(text: str) -> str:
    """A text that somebody else wrote, such as an exception's, with what may be personal or secret left out: all but
    its first line, whatever stands in quotes, addresses of people, numbers long enough to be one's, and credentials.
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
    """An exception with its causes, for the log: classes, places in the code, and what of the texts is harmless."""
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
    """Hands what libraries log to the same output. Their texts may hold anything: only warnings and worse pass, and of
    those only what is harmless.
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
