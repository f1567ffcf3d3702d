"""Admission control: limits the requests processed at the same time, and how their bodies are read.

The server gives each request a thread. This middleware decides which of these threads may work: it hands out
permits, a share of which only requests with a key can use. A thread that reads a request's body holds no permit, so
that slow bodies block no one (`connection_guard` limits their time). Health endpoints need no permit. Decision:
docs/decisions/0016-web-server.md.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from werkzeug.exceptions import RequestEntityTooLarge

from notify.infra import process_metrics
from notify.infra.errors import BusyError
from notify.infra.http import result_error, v2_problem
from notify.infra.permits import Permits

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEALTH_PATHS: Final = frozenset({"/", "/_status", "/_status/ready"})
KEY_SCHEMES: Final = ("bearer ", "apikey-v1 ", "token ")
_BODY: Final = "notify.body"
_TURN: Final = "notify.turn"
_LARGE_BYTES: Final = 1024 * 1024
"""Bodies above this size (bytes) are large: only `large_bodies` of them are in memory at the same time."""


class GateLimits(NamedTuple):
    """Limits of a process. Sizes are in bytes."""

    requests: int
    """Most requests processed at the same time."""
    wait_seconds: float = 5.0
    """Seconds that a request may wait for a permit; then it is refused with 503."""
    keyless_body_bytes: int = 64 * 1024
    """Largest body of a request that is not authenticated."""
    body_bytes: int = 32 * 1024 * 1024
    """Largest body of any other request."""

    @property
    def keyless_requests(self) -> int:
        """Most requests without a key processed at the same time."""
        return max(self.requests // 4, 1)

    @property
    def large_bodies(self) -> int:
        """Most large bodies in memory at the same time."""
        return max(self.requests // 4, 1)


def allow_large_body(environ: WSGIEnvironment, largest: int | None = None) -> None:
    """Allow this request a body of up to `largest` bytes (by default the application's limit), because the caller is
    authenticated or the endpoint accepts large bodies without a key.
    """
    body: RequestBody | None = environ.get(_BODY)
    if body is not None:
        body.allow(largest)


def work_without_key(environ: WSGIEnvironment) -> None:
    """Count this request among those without a key, whatever its headers: for endpoints that do not check one, or that
    anyone may call. Raises `BusyError` if their share of the permits is in use for too long.
    """
    turn: _Turn | None = environ.get(_TURN)
    if turn is not None:
        turn.restrict()


class RequestGate:
    """WSGI middleware that limits the requests a process handles at the same time."""

    def __init__(self, app: WSGIApplication, limits: GateLimits) -> None:
        self._app = app
        self._limits = limits
        self._permits = Permits(
            limits.requests,
            limits.keyless_requests,
            wait_seconds=limits.wait_seconds,
            max_waiting=8 * limits.requests,
        )
        self._large_bodies = threading.Semaphore(limits.large_bodies)

    def stalled_seconds(self) -> float:
        """Seconds since a request last ended, while others wait for a permit. 0 if none waits."""
        return self._permits.stalled_seconds()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request. It holds its permit until its answer begins."""
        if environ["PATH_INFO"] in HEALTH_PATHS:
            return self._app(environ, start_response)
        restricted = not environ.get("HTTP_AUTHORIZATION", "").lower().startswith(KEY_SCHEMES)
        turn = environ[_TURN] = _Turn(self._permits, restricted)
        body: RequestBody | None = None
        if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
            body = RequestBody(environ, turn, self._limits, self._large_bodies)
            environ["wsgi.input"] = environ[_BODY] = body
        try:
            if body is not None:
                body.load_small()
            turn.begin()
            return self._app(environ, start_response)
        except BusyError as error:
            process_metrics.request_refused()
            is_v2 = environ["PATH_INFO"].startswith("/v2/")
            answer = v2_problem(error) if is_v2 else result_error(error.status, error.messages[0])
            return answer(environ, start_response)
        finally:
            turn.end()
            if body is not None:
                body.free()


class _Turn:
    """A request's permit, which it can return temporarily."""

    __slots__ = ("_permits", "_restricted", "_taken")

    def __init__(self, permits: Permits, restricted: bool) -> None:
        self._permits = permits
        self._restricted = restricted
        self._taken = False

    def begin(self) -> None:
        """Wait for a permit. Raises `BusyError`."""
        self._permits.acquire(self._restricted)
        self._taken = True

    def restrict(self) -> None:
        """Exchange the permit for one of those for requests without a key. Raises `BusyError`."""
        if not self._restricted:
            self.end()
            self._restricted = True
            self.begin()

    def end(self) -> None:
        """Return the permit, if held."""
        if self._taken:
            self._taken = False
            self._permits.release(self._restricted)


class RequestBody:
    """The body of a request as `wsgi.input`. A small one is read at once, a larger one at its first use: as a whole,
    and without a permit meanwhile. If the client disconnects, the body is truncated, as without this class.

    Reading raises `RequestEntityTooLarge` or `BusyError`.
    """

    def __init__(
        self, environ: WSGIEnvironment, turn: _Turn, limits: GateLimits, large_bodies: threading.Semaphore
    ) -> None:
        self._raw: Any = environ["wsgi.input"]
        self._length = _content_length(environ)
        self._turn = turn
        self._limits = limits
        self._largest = limits.keyless_body_bytes
        self._large_bodies = large_bodies
        self._is_large = False
        self._content: io.BytesIO | None = None

    def allow(self, largest: int | None) -> None:
        """Raise the limit, in bytes; None is the application's limit."""
        self._largest = self._limits.body_bytes if largest is None else min(largest, self._limits.body_bytes)

    def load_small(self) -> None:
        """Read a body that is small enough for every caller, before waiting for a permit."""
        if self._length is not None and self._length <= self._largest:
            self._content = io.BytesIO(self._raw.read(self._length))

    def read(self, size: int = -1) -> bytes:
        """As a file's, like the methods below."""
        content = self._content
        return (self._loaded() if content is None else content).read(size)

    def readline(self, size: int = -1) -> bytes:
        """As a file's."""
        return self._loaded().readline(size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        """As a file's."""
        return self._loaded().readlines(hint)

    def __iter__(self) -> Iterable[bytes]:
        return iter(self._loaded())

    def free(self) -> None:
        """Release the body. Call it after the answer."""
        self._content = None
        if self._is_large:
            self._is_large = False
            self._large_bodies.release()

    def _loaded(self) -> io.BytesIO:
        if self._content is None:
            self._turn.end()
            self._content = io.BytesIO(self._load())
            self._turn.begin()
        return self._content

    def _load(self) -> bytes:
        expected = self._largest + 1 if self._length is None else self._length
        if self._length is not None and expected > self._largest:
            raise RequestEntityTooLarge
        if expected > _LARGE_BYTES:
            if not self._large_bodies.acquire(timeout=self._limits.wait_seconds):
                raise BusyError
            self._is_large = True
        content: bytes = self._raw.read(expected)
        if len(content) > self._largest:
            raise RequestEntityTooLarge
        return content


def _content_length(environ: WSGIEnvironment) -> int | None:
    """The length, or None if the body is chunked or its length is not a number."""
    text = environ.get("CONTENT_LENGTH", "")
    return int(text) if text.isascii() and text.isdigit() and "HTTP_TRANSFER_ENCODING" not in environ else None
