"""Shared by all endpoints: JSON, error envelopes, response headers (contract: public-api 2, 3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from random import getrandbits
from typing import TYPE_CHECKING, Any, Final

from flask import Request, Response

from notify.infra.errors import ProblemError
from notify.infra.json_values import InvalidJSONError, dump_json, parse_json

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    Serve = Callable[[WSGIEnvironment, StartResponse, str, WSGIApplication], Iterable[bytes]]

INVALID_JSON: Final = "Invalid JSON supplied in POST data"

HEADERS: Final = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Allow-Headers", "Content-Type,Authorization"),
    ("Access-Control-Allow-Methods", "GET,PUT,POST,DELETE"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("X-Permitted-Cross-Domain-Policies", "none"),
    ("Strict-Transport-Security", "max-age=31536000; includeSubDomains; preload"),
    ("Cache-Control", "no-store, no-cache, private, must-revalidate"),
]

TRACE_HEADERS: Final = ("HTTP_X_B3_TRACEID", "HTTP_X_AMZ_CF_ID", "HTTP_X_AMZN_TRACE_ID")
SPAN_HEADER: Final = "HTTP_X_B3_SPANID"
LONGEST_TRACE_ID: Final = 200


def json_answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`value` as JSON."""
    return Response(dump_json(value), status, headers, content_type="application/json")


def read_json(request: Request) -> Any:
    """As `read_json_value`, but an empty value counts as an empty object (6.1)."""
    return read_json_value(request) or {}


def read_json_value(request: Request) -> Any:
    """The body as JSON, whatever its content type.

    NUL characters are removed from all strings: they are valid JSON, but no channel and no column can carry them.
    Raises `ProblemError` (400) if it is not JSON.
    """
    raw = read_body(request)
    try:
        value = parse_json(raw)
    except InvalidJSONError:
        raise ProblemError(INVALID_JSON) from None
    # NUL can only come from an escape, or from UTF-16 and UTF-32
    if b"\\u0000" in raw or b"\0" in raw:
        value = _without_nul(value)
    return value


def read_body(request: Request) -> bytes:
    """The raw body. Raises `RequestEntityTooLarge` (413)."""
    length = request.content_length
    if length is None or (request.max_content_length is not None and length > request.max_content_length):
        return request.get_data(cache=False)  # also reads chunked bodies, and refuses one that is too long
    raw: bytes = request.environ["wsgi.input"].read(length)
    return raw


def _without_nul(value: Any) -> Any:
    # recursion is safe: the parser bounds the depth
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {key.replace("\0", ""): _without_nul(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    return value


def v2_error(status: int, entries: Iterable[Mapping[str, Any]]) -> Response:
    """The envelope of the v2 API (3.1)."""
    return json_answer({"status_code": status, "errors": list(entries)}, status)


def v2_problem(error: ProblemError) -> Response:
    """A problem in the envelope of the v2 API."""
    return v2_error(error.status, error.entries())


def result_error(status: int, message: Any, headers: Mapping[str, str] | None = None) -> Response:
    """The envelope of everything else (3.2, 3.3)."""
    return json_answer({"result": "error", "message": message}, status, headers)


class CommonHeaders:
    """WSGI middleware: adds the security and trace headers to every response, then calls `serve` with the trace id."""

    def __init__(self, app: WSGIApplication, serve: Serve) -> None:
        self._app = app
        self._serve = serve

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        trace_id = next((environ[name] for name in TRACE_HEADERS if environ.get(name)), None)
        trace_id = trace_id[:LONGEST_TRACE_ID] if trace_id else f"{getrandbits(128):032x}"
        span_id = (environ.get(SPAN_HEADER) or "")[:LONGEST_TRACE_ID] or f"self-{getrandbits(64):016x}"

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            headers = [*headers, *HEADERS, ("X-B3-TraceId", trace_id), ("X-B3-SpanId", span_id)]
            return start_response(status, headers, *rest)

        return self._serve(environ, start, trace_id, self._app)
