"""Error answers of the internal API: the contract's envelopes, chosen by the class of the problem.

| problem                                   | E-std routes                                     | E-v2 routes |
|-------------------------------------------|--------------------------------------------------|-------------|
| `AuthError`                               | `{"result", "message": {"token": [text]}}`       | its entry   |
| `ValidationProblemError`                  | E-schema: `{"status_code", "errors": [...]}`     | the same    |
| `FieldProblemError`, `FieldsProblemError` | E-field: `{"result", "message": {field: [...]}}` | its entries |
| `BareProblemError`                        | `{"message": text}`                              | its entry   |
| any other `ProblemError`                  | E-std: `{"result", "message": text}`             | its entries |
| a value that no column can hold           | 404 `No result found`                            | `DataError` |
| an unknown id (foreign key violation)     | 404 `No result found`                            | `NoResultFound` |
| a taken value (unique violation)          | 409                                              | `Conflict`  |
| anything else                             | 500 `Internal server error`                      | 500         |

(contract: public-api 3, internal-jobs 0.1, internal-services 0)
"""

from __future__ import annotations

from enum import Enum
from typing import Final

import psycopg
import sqlalchemy.exc
from flask import Response, request
from psycopg.errors import ForeignKeyViolation, QueryCanceled, UniqueViolation
from werkzeug.exceptions import BadRequest, HTTPException, NotFound

from notify.infra.errors import (
    MALFORMED,
    NOT_FOUND,
    BareProblemError,
    NotFoundProblemError,
    ProblemError,
    ValidationProblemError,
)
from notify.infra.http import json_answer, result_error, v2_error, v2_problem
from notify.infra.overload import busy_error
from notify.infra.request_log import request_raised
from notify.infra.tokens import AuthError

TAKEN: Final = "There is one with these values already"
SERVER_ERROR: Final = "Internal server error"


class Envelope(Enum):
    """The family of envelopes of a group of routes."""

    STANDARD = "standard"
    V2 = "v2"


def answer(error: Exception, envelope: Envelope) -> Response:
    """The answer to a request that ended in `error`. Unexpected errors are logged and counted."""
    problem = busy_error(error) or _problem(error)
    if problem is not None:
        if envelope is Envelope.V2 or isinstance(problem, ValidationProblemError):
            return v2_problem(problem)
        if isinstance(problem, BareProblemError):
            return json_answer({"message": problem.message()}, problem.status)
        message = {"token": problem.messages} if isinstance(problem, AuthError) else problem.message()
        return result_error(problem.status, message)
    if isinstance(error, HTTPException) and error.code is not None and error.code < 500:
        return _http_error(error, error.code)
    request_raised(request.environ, error)
    if envelope is Envelope.V2:
        return v2_error(500, [{"error": "InternalServerError", "message": SERVER_ERROR}])
    return result_error(500, SERVER_ERROR)


def _problem(error: Exception) -> ProblemError | None:
    """The problem to report to the caller: the refusal itself, or the meaning of a database error for the request."""
    if isinstance(error, ProblemError):
        return error
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    if isinstance(cause, psycopg.DataError | OverflowError):  # the latter: a date beyond the calendar
        return ProblemError("No result found", status=404, error="DataError")
    if isinstance(cause, ForeignKeyViolation) or isinstance(error, sqlalchemy.exc.NoResultFound):
        return NotFoundProblemError()
    if isinstance(cause, UniqueViolation):
        return ProblemError(TAKEN, status=409, error="Conflict")
    if isinstance(cause, QueryCanceled):
        return ProblemError("Timeout serving request", status=504, error="Timeout")
    return None


def _http_error(error: HTTPException, status: int) -> Response:
    if 300 <= status < 400:
        return error.get_response()  # type: ignore[return-value]
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    if isinstance(error, NotFound):
        return result_error(404, NOT_FOUND, headers)
    return result_error(status, MALFORMED if isinstance(error, BadRequest) else error.description, headers)
