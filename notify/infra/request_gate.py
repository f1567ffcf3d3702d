"""Admission of requests: how many are worked on at the same time, and how their bodies are read.

The server gives each request a thread. This middleware decides which of these threads may work: it hands out
permits, a share of which only requests with a key can use. A thread that reads a request's body holds no permit, so
slow bodies keep nobody from working; how long a body may take is the connections' affair (`connection_guard`). Health
endpoints need no permit. Decision: docs/decisions/0016-web-server.md.
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
"""Only some bodies beyond this size are in memory at the same time."""


class GateLimits(NamedTuple):
    """How much a process takes on. Sizes are in bytes."""

    requests: int
    """Requests that are worked on at the same time."""
    wait_seconds: float = 5.0
    """The longest that a request waits for its turn; then it is refused with 503."""
    keyless_body_bytes: int = 64 * 1024
    """The largest body of a request that is not authenticated."""
    body_bytes: int = 32 * 1024 * 1024
    """The largest body of any other."""

    @property
    def keyless_requests(self) -> int:
        """Requests without a key that are worked on at the same time."""
        return max(self.requests // 4, 1)

    @property
    def large_bodies(self) -> int:
        """Large bodies that are in memory at the same time."""
        return max(self.requests // 4, 1)


def allow_large_body(environ: WSGIEnvironment, largest: int | None = None) -> None:
    """Let this request have a body of up to `largest` bytes (the application's limit, where that is not given), because
    the caller is authenticated or the endpoint takes such bodies from others.
    """
    body: RequestBody | None = environ.get(_BODY)
    if body is not None:
        body.allow(largest)


def work_without_key(environ: WSGIEnvironment) -> None:
    """Count this request among those without a key, whatever it has in its header: for endpoints that check none, or
    that anybody may call. Raises `BusyError` where their share of the turns is in use for too long.
    """
    turn: _Turn | None = environ.get(_TURN)
    if turn is not None:
        turn.restrict()


class RequestGate:
    """WSGI middleware that bounds what a process works on at the same time."""

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
        """How long no request has ended although others wait for their turn. 0 where none waits."""
        return self._permits.stalled_seconds()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request. It counts as worked on until its answer begins."""
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
    """A request's permit, which it may give back for a while."""

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
        """Have a permit of those that requests without a key may use. Raises `BusyError`."""
        if not self._restricted:
            self.end()
            self._restricted = True
            self.begin()

    def end(self) -> None:
        """Give it back, where there is one."""
        if self._taken:
            self._taken = False
            self._permits.release(self._restricted)


class RequestBody:
    """The body of a request as `wsgi.input`. A small one is read at once, another at the first use: as a whole, and
    without a permit meanwhile. One that the client broke off is cut short, as it is without this class.

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
        """Raise the limit, in bytes; to the highest there is for None."""
        self._largest = self._limits.body_bytes if largest is None else min(largest, self._limits.body_bytes)

    def load_small(self) -> None:
        """Read a body that is small enough for every caller, before there is a permit."""
        if self._length is not None and self._length <= self._largest:
            self._content = io.BytesIO(self._raw.read(self._length))

    def read(self, size: int = -1) -> bytes:
        """As of a file, like the methods below."""
        content = self._content
        return (self._loaded() if content is None else content).read(size)

    def readline(self, size: int = -1) -> bytes:
        """As of a file."""
        return self._loaded().readline(size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        """As of a file."""
        return self._loaded().readlines(hint)

    def __iter__(self) -> Iterable[bytes]:
        return iter(self._loaded())

    def free(self) -> None:
        """Called when the request has been answered."""
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
    """None where the body comes in chunks, or its length is no number."""
    text = environ.get("CONTENT_LENGTH", "")
    return int(text) if text.isascii() and text.isdigit() and "HTTP_TRANSFER_ENCODING" not in environ else None
