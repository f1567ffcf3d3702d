"""Access to the console: only a browser on this machine, on one of our pages.

The console shows other people's messages without a password, so it must resist attacks through the browser:
a foreign page that resolves its own name to this machine (DNS rebinding: the Host header tells), one that embeds or
fetches ours (the browser's `Sec-Fetch` headers tell; nothing here is shared across origins), and the email itself (its
document has a separate origin and runs no script).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from flask import Request, Response

from notify.safety import is_loopback
from notify.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PREFIX: Final = "/console"

LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_ANYWHERE: Final = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 - only compared

_PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
EMAIL_POLICY: Final = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src http: https: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
"""Policy of an email's document: styles and pictures only. Links open in a new tab."""

CHANGE_HEADER: Final = "X-Console"
"""Header that a changing request must have. Other sites cannot send it: for a custom header, the browser first asks
the server (CORS preflight), and nothing here allows it.
"""

HEADERS: Final = {
    "Content-Security-Policy": _PAGE_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow",
}


def known_hosts(settings: Settings) -> frozenset[str]:
    """Host names that serve the console: this machine's, and the API's."""
    given = {urlsplit(address).hostname or "" for address in (settings.api_host_name, settings.api_host_name_internal)}
    return LOCAL | ((given | {settings.web_host}) - _ANYWHERE)


def refusal(request: Request, hosts: frozenset[str]) -> str | None:
    """Why a request is refused, or None."""
    if not all(map(_is_here, _senders(request))):
        return "The console answers to this machine only."
    try:
        host = urlsplit(f"//{request.headers.get('Host', '')}").hostname or ""
    except ValueError:
        host = ""
    if host not in hosts:
        return "The console answers to localhost and to the API's own name only."
    site = request.headers.get("Sec-Fetch-Site", "none")
    is_followed_link = (
        request.headers.get("Sec-Fetch-Mode") == "navigate" and request.headers.get("Sec-Fetch-Dest") == "document"
    )
    if site not in ("none", "same-origin") and not is_followed_link:
        return "The console does not answer to other sites."
    is_change = request.method not in ("GET", "HEAD", "OPTIONS")
    if is_change and (site not in ("none", "same-origin") or not request.headers.get(CHANGE_HEADER)):
        return "The console changes nothing for other sites."
    return None


def _senders(request: Request) -> list[str]:
    """Addresses that a request comes from: the peer, and those that a proxy in front names."""
    forwarded = request.headers.get("X-Forwarded-For", "") + "," + request.headers.get("X-Real-Ip", "")
    return [request.remote_addr or "", *(sender.strip() for sender in forwarded.split(",") if sender.strip())]


def _is_here(address: str) -> bool:
    """Whether an address is this machine's. A Unix socket, which has no address, is."""
    return not address or is_loopback(address)


def protect(response: Response) -> Response:
    """Add the headers of every answer of the console, unless the answer has set them itself."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


class WithoutCors:
    """WSGI middleware: removes the API's CORS headers from answers below `PREFIX`."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        if not environ.get("PATH_INFO", "").startswith(PREFIX):
            return self._app(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            kept = [(name, value) for name, value in headers if not name.startswith("Access-Control-")]
            return start_response(status, kept, *rest)

        return self._app(environ, start)
