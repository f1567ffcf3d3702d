"""The web application: which APIs it serves, and what they share. It names no feature."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import RequestRedirect, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from notify import settings as configuration
from notify.infra.container import Container
from notify.infra.errors import NOT_FOUND, ProblemError
from notify.infra.http import CommonHeaders, result_error
from notify.infra.overload import busy_error
from notify.infra.parts import build_parts, configure_logs, configure_traces
from notify.infra.request_gate import GateLimits, RequestGate
from notify.infra.request_log import RequestLog, request_raised
from notify.settings import Settings

EXTENSION = "notify"
"""The key of the container in `app.extensions`."""


class _NoSessions(SecureCookieSessionInterface):
    """No request has a session: nothing is read from, or written to, cookies."""

    def open_session(self, app: Flask, request: Any) -> None:
        """No session."""


class _Route(Rule):
    """A route that is only compiled for reading addresses. The code that builds an address is made when one is built:
    of hundreds of routes, that is hardly ever.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(super(_Route, self)._compile_builder(append_unknown))
            return compiled[0](rule, **values)

        return build


class _Application(Flask):
    url_rule_class = _Route


def create_app(settings: Settings | None = None, *, apis: Collection[str] | None = None) -> Flask:
    """The application with the given settings, or those of the environment.

    `apis` names the APIs to serve: packages of `notify` with a module `blueprints`. By default those that the settings
    serve on `PORT`. Raises `SettingsError`.
    """
    if settings is None and os.environ.get("FLASK_RUN_FROM_CLI"):
        return _create_for_terminal(apis)
    return _create(settings or configuration.load(), apis)


def preload(settings: Settings) -> None:
    """Import what the APIs of these settings need, and build the mappers, so that processes forked from this one share
    the memory. Opens no connection and starts no thread.
    """
    from sqlalchemy.orm import configure_mappers

    for door in (*settings.apis, *_added_doors(settings)):
        import_module(f"notify.{door}.blueprints").load()
    configure_mappers()


def _create(settings: Settings, apis: Collection[str] | None) -> Flask:
    configure_logs(settings)
    configure_traces(settings)
    container = Container(build_parts(settings))
    app = _Application("notify", static_folder=None)
    app.session_interface = _NoSessions()
    app.config["MAX_CONTENT_LENGTH"] = settings.max_request_bytes
    app.extensions[EXTENSION] = container
    if os.environ.get("FLASK_RUN_FROM_CLI"):
        _add_migrations(app)
    _handle_errors(app)
    _redirect_without_host(app)
    requests = RequestLog(
        app,
        application=settings.notify_app_name,
        is_quiet=settings.notify_log_level not in ("DEBUG", "INFO"),
        unlogged=("/_status", "/_status/ready", settings.prometheus_metrics_path),
    )
    gate = RequestGate(app.wsgi_app, _gate_limits(settings))
    app.extensions["request_gate"] = gate
    app.wsgi_app = CommonHeaders(gate, requests.serve)  # type: ignore[method-assign]
    doors = settings.apis_on_port if apis is None else apis
    for door in dict.fromkeys((*doors, *_added_doors(settings))):
        import_module(f"notify.{door}.blueprints").register(app, container)
    return app


def _added_doors(settings: Settings) -> tuple[str, ...]:
    """The doors that development and test have in any case. The console shows messages to anybody who asks: elsewhere
    it is not even loaded; nor is the object store, which the admin app has from another place then.
    """
    return ("template_preview", "file_checks", "console", "objects_api") if settings.is_safe_environment else ()


def _gate_limits(settings: Settings) -> GateLimits:
    return GateLimits(
        requests=settings.web_threads,
        keyless_body_bytes=settings.web_keyless_body_bytes,
        body_bytes=settings.max_request_bytes,
    )


def _create_for_terminal(apis: Collection[str] | None) -> Flask:
    """For `flask ...`: the application of the instance that runs here. A settings error is printed as one line."""
    import click

    from notify.cli.folder import adopt_running_instance

    adopt_running_instance(os.environ)
    try:
        return _create(configuration.load(), apis)
    except configuration.SettingsError as error:
        raise click.ClickException(str(error)) from None


def _add_migrations(app: Flask) -> None:
    """Add `flask db ...`, which serving requests does not need."""
    from flask_migrate import Migrate

    from notify.migrate import DIRECTORY
    from notify.models import metadata

    Migrate(app, SimpleNamespace(metadata=metadata), directory=str(DIRECTORY))


def _redirect_without_host(app: Flask) -> None:
    """Make redirects to the spelling of a route (a slash at the end) relative. The framework would add the request's
    `Host`, which the client chooses, and `http` behind a load balancer that terminates TLS.
    """

    @app.after_request
    def shorten(response: Response) -> Response:
        if isinstance(request.routing_exception, RequestRedirect):
            target = urlsplit(response.headers["Location"])
            # a path that begins with two slashes would name another host
            location = urlunsplit(("", "", "/" + target.path.lstrip("/\\"), target.query, ""))
            return redirect(location, response.status_code)
        return response


def _handle_errors(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        if error.code is not None and 300 <= error.code < 400:
            return error.get_response()
        headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
        message = NOT_FOUND if isinstance(error, NotFound) else error.description
        return result_error(error.code or 500, message, headers)

    @app.errorhandler(ProblemError)
    def problem(error: ProblemError) -> Response:
        return result_error(error.status, error.messages[0] if len(error.messages) == 1 else error.messages)

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        if busy := busy_error(error):
            return result_error(busy.status, busy.messages[0])
        request_raised(request.environ, error)
        return result_error(500, "Internal server error")
