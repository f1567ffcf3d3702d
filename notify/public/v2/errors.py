"""Errors of version 2 in the contract's envelope (contract: public-api 3.1)."""

from __future__ import annotations

import psycopg
import sqlalchemy.exc
from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, NotFound

from notify.infra.errors import NOT_FOUND, ProblemError
from notify.infra.http import result_error, v2_error, v2_problem
from notify.infra.overload import busy_error
from notify.infra.request_log import request_raised


def handle(v2: Blueprint) -> None:
    """Register the error handlers with the blueprint."""
    v2.register_error_handler(ProblemError, v2_problem)
    v2.register_error_handler(HTTPException, _http_error)
    v2.register_error_handler(psycopg.DataError, _unsearchable)
    v2.register_error_handler(sqlalchemy.exc.DataError, _unsearchable)
    v2.register_error_handler(Exception, _fault)


def _http_error(error: HTTPException) -> Response:
    if isinstance(error, NotFound):
        return result_error(404, NOT_FOUND)
    status = error.code or 500
    return v2_error(status, [{"error": type(error).__name__, "message": error.description or error.name}])


def _unsearchable(_error: Exception) -> Response:
    """The answer for a value that no row can have, such as a NUL character in a reference."""
    return v2_error(404, [{"error": "DataError", "message": "No result found"}])


def _fault(error: Exception) -> Response:
    if busy := busy_error(error):
        return v2_problem(busy)
    request_raised(request.environ, error)
    return v2_error(500, [{"error": "InternalServerError", "message": "Internal server error"}])
