"""Logs as JSON lines, with the id of the request or task on each, and nothing personal (contract: content 18.2)."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

UNKNOWN = {"requestId": "no-request-id", "span_id": "no-span-id", "service_id": "no-service-id"}


def configure_logs(*, application: str, level: str, form: str) -> None:
    """Send every log line of the process, ours and the libraries', to standard output in one form."""

    def describe(_logger: object, name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["time"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        event["application"] = application
        event["levelname"] = name.upper()
        event["logType"] = "application"
        event["message"] = event.pop("event", "")
        for key, value in UNKNOWN.items():
            event.setdefault(key, value)
        return event

    shared = [structlog.contextvars.merge_contextvars]
    number = logging.getLevelNamesMapping()[level]
    if form == "json":
        structlog.configure(
            processors=[
                *shared,
                structlog.processors.format_exc_info,
                describe,
                structlog.processors.JSONRenderer(serializer=_dump),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(number),
            logger_factory=structlog.BytesLoggerFactory(file=sys.stdout.buffer),
            cache_logger_on_first_use=True,
        )
    else:
        structlog.configure(
            processors=[*shared, structlog.processors.TimeStamper(fmt="%H:%M:%S"), structlog.dev.ConsoleRenderer()],
            wrapper_class=structlog.make_filtering_bound_logger(number),
            cache_logger_on_first_use=True,
        )
    handler = _Forward()
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


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
