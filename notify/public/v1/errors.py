"""Errors of version 1 in the contract's envelope (contract: public-api 3.3)."""

from __future__ import annotations

import psycopg
import sqlalchemy.exc
from flask import Blueprint, Response, request
from werkzeug.exceptions import BadRequest, HTTPException, NotFound

from notify.infra.errors import MALFORMED, NOT_FOUND, ProblemError
from notify.infra.http import result_error
from notify.infra.overload import busy_error
from notify.infra.request_log import request_raised
from notify.infra.tokens import AuthError


def handle(v1: Blueprint) -> None:
    """Register the error handlers with the blueprint."""
    v1.register_error_handler(ProblemError, _problem)
    v1.register_error_handler(HTTPException, _http_error)
    v1.register_error_handler(psycopg.DataError, _unsearchable)
    v1.register_error_handler(sqlalchemy.exc.DataError, _unsearchable)
    v1.register_error_handler(Exception, _fault)


def _problem(error: ProblemError) -> Response:
    return result_error(error.status, {"token": error.messages} if isinstance(error, AuthError) else error.message())


def _http_error(error: HTTPException) -> Response:
    texts = {NotFound: NOT_FOUND, BadRequest: MALFORMED}
    return result_error(error.code or 500, texts.get(type(error), error.description))


def _unsearchable(_error: Exception) -> Response:
    """The answer for a value that no row can have."""
    return result_error(404, "No result found")


def _fault(error: Exception) -> Response:
    if busy := busy_error(error):
        return _problem(busy)
    request_raised(request.environ, error)
    return result_error(500, "Internal server error")
