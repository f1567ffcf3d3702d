"""The blueprint of the template preview service: authentication and the form of errors (contract: letters 6)."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from notify.infra.container import Container
from notify.infra.http import json_answer, result_error
from notify.template_preview.access import PREFIX, is_allowed, secrets_of

STATUS_PATH: Final = f"{PREFIX}/_status"


def unauthorized() -> Response:
    """The response to a caller without a secret."""
    headers = {"WWW-Authenticate": 'Token realm="Authentication Required"'}
    return Response("Unauthorized Access", 401, headers, content_type="text/html; charset=utf-8")


def bare_error(error: HTTPException) -> Response:
    """An error without a message."""
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    return json_answer({"result": "error"}, error.code or 500, headers)


def door(container: Container) -> Blueprint:
    """The blueprint of all routes. It checks the secret before it reads any of the body."""
    settings = container.parts.settings
    secrets = secrets_of(settings)
    routes = Blueprint("template_preview", __name__, url_prefix=PREFIX)

    @routes.before_request
    def authenticate() -> Response | None:
        if request.path == STATUS_PATH or is_allowed(request.headers.get("Authorization", ""), secrets):
            return None
        return unauthorized()

    @routes.before_app_request
    def wrong_method() -> Response | None:
        """405. No route matches these requests, so Flask calls no error handler of the blueprint."""
        error = request.routing_exception
        if isinstance(error, MethodNotAllowed) and request.path.startswith(f"{PREFIX}/"):
            return bare_error(error)
        return None

    @routes.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        if error.code == 415:
            return bare_error(error)
        return result_error(error.code or 500, f"{error.code} {error.name}: {error.description}")

    @routes.get("/_status")
    def status() -> Response:
        """Liveness, without a secret."""
        if request.args.get("simple"):
            return Response("ok", content_type="text/html; charset=utf-8")
        return json_answer(
            {
                "status": "ok",
                "commit": settings.git_commit,
                "build_time": settings.build_time,
                # fields of the contract for programs that are not used here
                "ghostscript_version": "",
                "imagemagick_version": "",
            }
        )

    return routes
