"""The web application: the only place where its parts are wired together."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from flask_migrate import Migrate
from sqlalchemy import text
from werkzeug.exceptions import HTTPException

from notify import settings as configuration
from notify.cli import command_group
from notify.infra.errors import ProblemError
from notify.infra.parts import Parts, build_parts
from notify.migrate import DIRECTORY
from notify.models import metadata
from notify.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The application with the given settings, or those of the environment. Raises `SettingsError`."""
    settings = settings or configuration.load()
    parts = build_parts(settings)
    app = Flask("notify", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_request_bytes
    app.extensions["notify"] = parts
    Migrate(app, SimpleNamespace(metadata=metadata), directory=str(DIRECTORY))
    app.cli.add_command(command_group)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ProblemError, _problem)
    _add_status(app, parts)
    return app


def _http_error(error: HTTPException) -> ResponseReturnValue:
    return jsonify(result="error", message=error.description), error.code or 500, _headers_of(error)


def _headers_of(error: HTTPException) -> list[tuple[str, str]]:
    return [(name, value) for name, value in error.get_headers() if name.lower() != "content-type"]


def _problem(error: ProblemError) -> ResponseReturnValue:
    message: Any = error.messages[0] if len(error.messages) == 1 else error.messages
    return jsonify(result="error", message=message), error.status


def _add_status(app: Flask, parts: Parts) -> None:
    @app.get("/")
    @app.route("/_status", methods=["GET", "POST"])
    def status() -> ResponseReturnValue:
        """Whether we live, and what we are (contract: public-api 14.5)."""
        if request.args.get("simple"):
            return jsonify(status="ok")
        with parts.database.session() as session:
            version = session.scalar(text("SELECT version_num FROM alembic_version"))
        return jsonify(
            status="ok",
            git_commit=parts.settings.git_commit,
            build_time=parts.settings.build_time,
            db_version=version,
        )
