"""Logs, counts and traces each request: one log line, one metric, one span. Nothing personal in any of them."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import structlog
from flask import Flask

from notify.infra import metrics, tracing
from notify.infra.telemetry import log_request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

logger = structlog.get_logger("notify.request")

LOGGED_WORDS: Final = "LOGGED_WORDS"
"""Key in the application's configuration: words allowed in logged paths, besides the fixed parts of routes."""
NO_ROUTE: Final = "(none)"
LEFT_OUT: Final = "…"
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
UUID_LENGTH: Final = 36
RETRY_AFTER_SECONDS: Final = "5"
"""`Retry-After` of a refusal because of overload, in seconds."""


class RequestLog:
    """Logs, counts and traces the requests of an application."""

    def __init__(self, app: Flask, *, application: str, is_quiet: bool, unlogged: Iterable[str]) -> None:
        """With `is_quiet`, and for the routes in `unlogged`, only 5xx answers are logged."""
        self._app = app
        app.config.setdefault(LOGGED_WORDS, set())
        self._application = application
        self._is_quiet = is_quiet
        self._unlogged = frozenset(unlogged)

    def serve(
        self,
        environ: WSGIEnvironment,
        start_response: StartResponse,
        request_id: str,
        app: WSGIApplication,
    ) -> Iterable[bytes]:
        """Pass one request to `app`."""
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(requestId=request_id)
        metrics.request_began()
        began = time.perf_counter()

        try:
            with tracing.request_span(environ, request_id) as span:

                def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
                    self._answered(environ, request_id, int(status[:3]), time.perf_counter() - began, span)
                    if status.startswith("503") and not any(name == "Retry-After" for name, _ in headers):
                        headers = [*headers, ("Retry-After", RETRY_AFTER_SECONDS)]
                    return start_response(status, headers, *rest)

                return app(environ, start)
        finally:
            metrics.request_left()

    def _answered(
        self, environ: Mapping[str, Any], request_id: str, status: int, seconds: float, span: tracing.Span
    ) -> None:
        method, route = _method(environ), _route(environ)
        metrics.request_ended(method, route, status, seconds)
        span.update_name(f"{method} {route}")
        span.set_attribute("http.request.method", method)
        span.set_attribute("http.route", route)
        span.set_attribute("http.response.status_code", status)
        if status < 500 and (self._is_quiet or route in self._unlogged):
            return
        fields = {"method": method, "path": self._path(environ), "status": status, "request_time": round(seconds, 6)}
        if status >= 500:
            logger.warning("request", **fields)
        elif not log_request(application=self._application, request_id=request_id, fields=fields):
            logger.info("request", **fields)

    def _path(self, environ: Mapping[str, Any]) -> str:
        """The path of the request, without segments that are neither words of our routes nor ids."""
        request = environ.get("werkzeug.request")
        if request is not None and request.url_rule is not None and not request.view_args:
            return str(request.url_rule.rule)
        segments = environ.get("PATH_INFO", "").split("/")
        return "/".join(part if part in self._words or _is_id(part) else LEFT_OUT for part in segments)

    @cached_property
    def _words(self) -> frozenset[str]:
        """The fixed parts of our routes, and the configured words."""
        rules = [rule.rule for rule in self._app.url_map.iter_rules()]
        return frozenset(self._app.config[LOGGED_WORDS]) | {
            part for rule in rules for part in rule.split("/") if "<" not in part
        }


def request_raised(environ: Mapping[str, Any], error: Exception) -> None:
    """Log and count a request that ended in an unhandled exception. Called by the error handler."""
    logger.exception("request failed", error=type(error).__name__)
    metrics.request_raised(_method(environ), _route(environ), type(error).__name__)


def _route(environ: Mapping[str, Any]) -> str:
    request = environ.get("werkzeug.request")
    return NO_ROUTE if request is None or request.url_rule is None else str(request.url_rule.rule)


def _method(environ: Mapping[str, Any]) -> str:
    method: str = environ["REQUEST_METHOD"]
    return method if method in METHODS else LEFT_OUT


def _is_id(text: str) -> bool:
    if len(text) != UUID_LENGTH:
        return False
    try:
        UUID(text)
    except ValueError:
        return False
    return True
