"""The server of `notify listen`: accepts callbacks on this machine, and forwards them."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

PASSED_ON: Final = ("Content-Type", "Authorization", "webhook-id", "webhook-timestamp", "webhook-signature")
LARGEST_BODY: Final = 1024 * 1024
UNREACHABLE: Final = 502
"""The status for the worker if the target does not answer: the worker tries again later, as it would without us."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A callback that arrived. `status` is our answer: the target's if it was forwarded, else 200. `problem` says why
    the target did not answer.
    """

    callback_type: str
    headers: Mapping[str, str]
    body: bytes
    passed_to: str | None
    status: int
    milliseconds: float
    problem: str | None

    @property
    def event(self) -> Any:
        """The body as JSON; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Listener(ThreadingHTTPServer):
    """Accepts callbacks at the paths of `targets`, each with its kind and the URL to forward to."""

    daemon_threads = True

    def __init__(
        self, targets: Mapping[str, tuple[str, str | None]], heard: Callable[[Heard], None], *, seconds: float
    ) -> None:
        """`heard` is called for each callback, from several threads; `seconds` is the timeout of the target."""
        self.targets = dict(targets)
        self.heard = heard
        self.seconds = seconds
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def address(self) -> str:
        """The address it listens on."""
        return f"http://127.0.0.1:{self.server_port}"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Treats a redirect as any other answer, as the worker does."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none."""


_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listener

    def do_POST(self) -> None:
        """Accept a callback."""
        length = self.headers.get("Content-Length", "")
        target = self.server.targets.get(self.path)
        if target is None or not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._answer(404)
            return
        body = self.rfile.read(int(length))
        headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
        kind, passed_to = target
        began = time.perf_counter()
        status, problem = self._pass_on(passed_to, body, headers) if passed_to else (200, None)
        took = (time.perf_counter() - began) * 1000
        self.server.heard(Heard(kind, headers, body, passed_to, status, took, problem))
        self._answer(status)

    def _pass_on(self, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, str | None]:
        request = urllib.request.Request(url, data=body, headers=dict(headers))  # noqa: S310 - checked by the command
        try:
            with _OPENER.open(request, timeout=self.server.seconds) as answer:
                return int(answer.status), None
        except urllib.error.HTTPError as error:
            with error:
                return error.code, None
        except (OSError, http.client.HTTPException) as error:
            return UNREACHABLE, str(getattr(error, "reason", None) or error) or type(error).__name__

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: the command prints callbacks itself."""
