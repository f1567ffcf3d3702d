"""The web application: the only place where its parts are wired together."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

from flask import Flask, Response, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.exceptions import HTTPException, NotFound

from notify import settings as configuration
from notify.infra.errors import ProblemError
from notify.infra.http import NOT_FOUND, CommonHeaders, result_error
from notify.infra.outbound import Outbound
from notify.infra.parts import Parts, build_parts, configure_logs, configure_traces
from notify.infra.request_log import RequestLog, request_raised
from notify.infra.sns import SNSVerifier
from notify.providers.registry import PROVIDERS, ProviderPool
from notify.public import documents, openapi, provider_receipts, received_texts, ses_receipts, status, unsubscribe, v2
from notify.public.auth import Authenticator
from notify.public.metrics_page import MetricsPage, SystemStateCollector
from notify.rooms import Rooms
from notify.settings import Settings


class _NoSessions(SecureCookieSessionInterface):
    """No request has a session: nothing is read from, or written to, cookies."""

    def open_session(self, app: Flask, request: Any) -> None:
        """No session."""


def create_app(settings: Settings | None = None) -> Flask:
    """The application with the given settings, or those of the environment. Raises `SettingsError`."""
    if settings is None and os.environ.get("FLASK_RUN_FROM_CLI"):
        return _create_for_terminal()
    return _create(settings or configuration.load())


def _create(settings: Settings) -> Flask:
    configure_logs(settings)
    configure_traces(settings)
    parts = build_parts(settings)
    rooms = Rooms(parts)
    app = Flask("notify", static_folder=None)
    app.session_interface = _NoSessions()
    app.config["MAX_CONTENT_LENGTH"] = settings.max_request_bytes
    app.extensions["notify"] = parts
    app.extensions["rooms"] = rooms
    if os.environ.get("FLASK_RUN_FROM_CLI"):
        _add_migrations(app)
    _handle_errors(app)
    _add_routes(app, rooms)
    requests = RequestLog(
        app,
        application=settings.notify_app_name,
        is_quiet=settings.notify_log_level not in ("DEBUG", "INFO"),
        unlogged=("/_status", "/_status/ready", settings.prometheus_metrics_path),
        words=(word for provider in PROVIDERS for word in provider),
    )
    app.wsgi_app = CommonHeaders(app.wsgi_app, requests.serve)  # type: ignore[method-assign]
    if settings.is_safe_environment:
        _add_console(app, rooms)
    return app


def _create_for_terminal() -> Flask:
    """For `flask ...`: of the instance that runs here, with a fault told in one line."""
    import click

    from notify.cli.folder import adopt_running_instance

    adopt_running_instance(os.environ)
    try:
        return _create(configuration.load())
    except configuration.SettingsError as error:
        raise click.ClickException(str(error)) from None


def _add_migrations(app: Flask) -> None:
    """`flask db ...`; serving requests needs none of it."""
    from flask_migrate import Migrate

    from notify.migrate import DIRECTORY
    from notify.models import metadata

    Migrate(app, SimpleNamespace(metadata=metadata), directory=str(DIRECTORY))


def _add_routes(app: Flask, rooms: Rooms) -> None:
    parts = rooms.parts
    app.register_blueprint(
        v2.blueprint(
            v2.V2Parts(
                authenticator=Authenticator(rooms.services),
                acceptor=rooms.acceptor,
                reader=rooms.reader,
                serialiser=rooms.serialiser,
                templates=rooms.templates,
                database=parts.database,
                encryptor=parts.encryptor,
                page_size=parts.settings.api_page_size,
            )
        )
    )
    outbound = Outbound(connections=1)
    providers = ProviderPool(parts.settings, outbound)
    app.register_blueprint(
        provider_receipts.blueprint(providers, rooms.receipts, sandbox_allowed=parts.settings.is_safe_environment)
    )
    verifier = SNSVerifier(outbound, parts.settings.ses_topic_arns, parts.settings.sns_url)
    app.register_blueprint(ses_receipts.blueprint(verifier, rooms.email_receipts))
    app.register_blueprint(received_texts.blueprint(providers, rooms.text_receiver))
    app.register_blueprint(documents.blueprint(rooms.documents, rooms.services, parts.settings))
    app.register_blueprint(unsubscribe.blueprint(parts.database, parts.cache, rooms.url_tokens))
    app.register_blueprint(openapi.blueprint(parts.settings.api_host_name))
    app.register_blueprint(status.blueprint(parts))
    _add_metrics(app, parts)


def _add_console(app: Flask, rooms: Rooms) -> None:
    """The console shows messages to whoever asks: outside development and test it is not even loaded."""
    from notify.console import api, guard

    app.register_blueprint(api.blueprint(rooms))
    app.wsgi_app = guard.WithoutCors(app.wsgi_app)  # type: ignore[method-assign]


def _add_metrics(app: Flask, parts: Parts) -> None:
    page = MetricsPage(parts.settings.effective_metrics_token, SystemStateCollector(parts))

    @app.get(parts.settings.prometheus_metrics_path)
    def metrics() -> Response:
        status, headers, body = page.answer(
            request.headers.get("Authorization"), request.headers.get("Accept-Encoding", "")
        )
        return Response(body, status, headers)


def _handle_errors(app: Flask) -> None:
    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        if error.code is not None and 300 <= error.code < 400:
            return error.get_response()  # type: ignore[return-value]
        headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
        message = NOT_FOUND if isinstance(error, NotFound) else error.description
        return result_error(error.code or 500, message, headers)

    @app.errorhandler(ProblemError)
    def problem(error: ProblemError) -> Response:
        return result_error(error.status, error.messages[0] if len(error.messages) == 1 else error.messages)

    @app.errorhandler(Exception)
    def fault(error: Exception) -> Response:
        request_raised(request.environ, error)
        return result_error(500, "Internal server error")
