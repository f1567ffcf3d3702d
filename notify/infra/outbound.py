"""Outgoing HTTP: one event loop in its own thread per process, with persistent connections.

Other threads pass coroutines to `run()` and wait for the future, so one thread can have hundreds of calls in flight.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import ssl
import threading
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit
from weakref import WeakValueDictionary

from yarl import URL

from notify.infra import tracing
from notify.infra.container import Container
from notify.infra.proxies import Proxies
from notify.infra.public_addresses import is_public
from notify.infra.steady_loop import SteadyLoop

if TYPE_CHECKING:
    import aiohttp

T = TypeVar("T")

KEEPALIVE_IDLE_SECONDS: Final = 4
KEEPALIVE_INTERVAL_SECONDS: Final = 2
KEEPALIVE_PROBES: Final = 8

MAX_ANSWER_BYTES: Final = 1024 * 1024

LOOKUPS_AT_ONCE: Final = 64
"""Most host names resolved at the same time, in a thread each."""

_PRINTABLE: Final = "".join(map(chr, range(33, 127)))
_URI: Final = re.compile(r"[!-~]+")
_NOT_IN_A_HEADER: Final = re.compile(r"[\r\n\0]")


class OutboundError(Exception):
    """A call got no answer. `kind` says why: `timeout`, `connection` (refused, unreachable, unresolved), `tls`,
    `disconnected` (broken off before the answer was complete), `invalid_answer` (not HTTP, or too large), `proxy` (the
    proxy refused), `forbidden_address` (a host of a private network); or, faults on our side, `invalid_address` and
    `invalid_request`: nothing was sent. The text has neither the address nor the body in it.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. Redirects are not followed. Header names ignore case."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


def keepalive_socket(address: tuple[Any, ...]) -> socket.socket:
    """A stream socket for an entry of `getaddrinfo` that notices a dead peer within about 20 seconds."""
    family, kind, protocol, *_ = address
    opened = socket.socket(family, kind, protocol)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (
        ("TCP_KEEPIDLE", KEEPALIVE_IDLE_SECONDS),
        ("TCP_KEEPINTVL", KEEPALIVE_INTERVAL_SECONDS),
        ("TCP_KEEPCNT", KEEPALIVE_PROBES),
    ):
        if hasattr(socket, option):  # not every system can set them
            opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return opened


class ForbiddenAddressError(OSError):
    """A host of a private network was about to be called."""


def public_socket(address: tuple[Any, ...]) -> socket.socket:
    """As `keepalive_socket`, to the public internet only. It checks the resolved address of the connection itself, so
    that no name and no spelling of an address can bypass the check. Raises `ForbiddenAddressError`.
    """
    if not is_public(str(address[4][0])):
        raise ForbiddenAddressError("not a public address")
    return keepalive_socket(address)


def open_session(
    socket_factory: Callable[[tuple[Any, ...]], socket.socket] = keepalive_socket, *, tls_ciphers: str = ""
) -> aiohttp.ClientSession:
    """A client session; open it inside the loop that uses it. No cookies; idle connections are kept for 15 seconds. Its
    own support of proxies is off, because it would also send passwords from `.netrc`. `tls_ciphers` (in OpenSSL's
    format) replace the default ones.
    """
    import aiohttp  # processes that call nobody do not load it

    connector = aiohttp.TCPConnector(
        limit=0, ttl_dns_cache=60, keepalive_timeout=15, socket_factory=socket_factory, ssl=_tls(tls_ciphers)
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": "notify"},
        trust_env=False,
    )


def _tls(ciphers: str) -> ssl.SSLContext | bool:
    if not ciphers:
        return True
    context = ssl.create_default_context()
    context.set_ciphers(ciphers)
    return context


async def cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they have ended."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        # repeat: before Python 3.12 `asyncio.wait_for` can swallow a cancellation
        _, left = await asyncio.wait(left, timeout=0.2)


@lru_cache(maxsize=1024)
def _parse(url: str) -> URL:
    """The address unchanged: rewriting percent-encoding would break signatures in it (RFC 3986 2.2)."""
    try:
        parsed = URL(url if _URI.fullmatch(url) else _encode(url), encoded=True)
    except ValueError:
        raise OutboundError("invalid_address") from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise OutboundError("invalid_address")
    return parsed


def _encode(url: str) -> str:
    """The address, with only the characters encoded that are not allowed in any URL. Raises `ValueError`."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    netloc = quote(user, safe=_PRINTABLE) + at + host.encode("idna").decode("ascii")
    path, query = (quote(part, safe=_PRINTABLE) for part in (parts.path, parts.query))
    return urlunsplit((parts.scheme, netloc, path, query, ""))


class _Running:
    """The loop, its thread and its session, in the process that started them."""

    def __init__(self, *, public_only: bool, proxied: bool, tls_ciphers: str) -> None:
        self.process = os.getpid()
        self._tls_ciphers = tls_ciphers
        self._public_only = public_only
        self.proxies = Proxies() if proxied else None
        self.loop = SteadyLoop()
        # resolves host names: slow names must not delay others
        self.loop.set_default_executor(ThreadPoolExecutor(LOOKUPS_AT_ONCE, thread_name_prefix="outbound"))
        self.thread = threading.Thread(target=self._serve, name="outbound", daemon=True)
        self.thread.start()
        self.session = asyncio.run_coroutine_threadsafe(self._open(), self.loop).result()

    def _serve(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def _open(self) -> aiohttp.ClientSession:
        return open_session(public_socket if self._public_only else keepalive_socket, tls_ciphers=self._tls_ciphers)

    async def _finish(self) -> None:
        await cancel(task for task in asyncio.all_tasks() if task is not asyncio.current_task())
        await self.session.close()

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._finish(), self.loop).result(timeout=10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=10)
        self.loop.close()


class Outbound:
    """A client for outgoing HTTP. Starts at the first use, and again in a child after a fork.

    `connections` limits the calls in flight to one host. More calls wait for a slot, and the timeout of a call begins
    when it has one: our own queue must not look like a slow host, and one hanging host must not delay others.

    `public_only` is for addresses from users: only https, and no host of a private network. `proxied` calls use the
    proxies of the environment (`Proxies`); `public_only` ones never do, because a proxy would bypass the check.
    `tls_ciphers` (in OpenSSL's format) replace the default ones, up to TLS 1.2.
    """

    def __init__(
        self,
        *,
        connections: int = 200,
        timeout: float = 30.0,
        public_only: bool = False,
        proxied: bool = True,
        tls_ciphers: str = "",
    ) -> None:
        self._connections = connections
        self._timeout = timeout
        self._public_only = public_only
        self._proxied = proxied and not public_only
        self._tls_ciphers = tls_ciphers
        self._running: _Running | None = None
        self._lock = threading.Lock()
        self._slots: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process."""
        return cls(connections=container.parts.settings.provider_connections)

    def _started(self) -> _Running:
        running = self._running
        if running is not None and running.process == os.getpid():
            return running
        if running is not None:
            # forked: the thread only exists in the parent, and its locks may be held
            self._lock = threading.Lock()
            self._running = None
            self._slots = WeakValueDictionary()
        with self._lock:
            if self._running is None:
                self._running = _Running(
                    public_only=self._public_only, proxied=self._proxied, tls_ciphers=self._tls_ciphers
                )
            return self._running

    def run(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine in the loop, from any thread but the loop's."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._started().loop)

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, for use inside the loop only. Prefer `request()`, which does not follow redirects and has one
        kind of error.
        """
        return self._started().session

    async def request(
        self,
        method: str,
        url: str,
        *,
        data: bytes | Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        enough: int | None = None,
    ) -> Answer:
        """The complete answer to one call, inside the loop. A mapping as `data` is sent as a form. The address is sent
        unchanged.

        `timeout` (seconds, for connecting, sending and the whole answer together) defaults to the instance's. With
        `enough`, only that many bytes of the answer are read, and the connection of a longer one is not kept. Raises
        `OutboundError`.
        """
        address = _parse(url)
        if any(map(_NOT_IN_A_HEADER.search, (headers or {}).values())):
            raise OutboundError("invalid_request")
        if self._public_only and address.scheme != "https":
            raise OutboundError("invalid_address")
        host = f"{address.host}:{address.port}"
        slots = self._slots.get(host)
        if slots is None:
            slots = self._slots[host] = asyncio.Semaphore(self._connections)
        async with slots:
            seconds = self._timeout if timeout is None else timeout
            # do not log the address: it may hold secrets, even in its path
            with tracing.span(method, kind="CLIENT", attributes={"server.address": address.host or ""}) as span:
                answer = await self._call(method, address, data, headers, seconds, enough)
                span.set_attribute("http.response.status_code", answer.status)
                return answer

    async def _call(
        self,
        method: str,
        address: URL,
        data: bytes | Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
        seconds: float,
        enough: int | None,
    ) -> Answer:
        import aiohttp

        try:
            running = self._started()
            proxy = running.proxies.find(address) if running.proxies is not None else None
            if proxy and address.scheme == "http":  # no tunnel: the proxy reads the request itself
                headers = {**(headers or {}), **proxy.headers}
            async with running.session.request(
                method,
                address,
                data=data,
                headers=headers,
                proxy=proxy.url if proxy else None,
                proxy_headers=proxy.headers if proxy else None,
                timeout=aiohttp.ClientTimeout(total=seconds),
                allow_redirects=False,
            ) as response:
                body = bytearray()
                async for chunk in response.content.iter_any():
                    body += chunk
                    if enough is not None and len(body) > enough:
                        response.close()
                        break
                    if len(body) > MAX_ANSWER_BYTES:
                        response.close()
                        raise OutboundError("invalid_answer")
                return Answer(response.status, bytes(body), response.content_type, response.headers)
        except TimeoutError:
            raise OutboundError("timeout") from None
        except (aiohttp.ClientSSLError, ssl.SSLError):
            raise OutboundError("tls") from None
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, ConnectionResetError):
            raise OutboundError("disconnected") from None
        except aiohttp.ClientConnectorError as error:
            is_forbidden = isinstance(error.os_error, ForbiddenAddressError)
            raise OutboundError("forbidden_address" if is_forbidden else "connection") from None
        except aiohttp.ClientOSError:
            raise OutboundError("disconnected") from None
        except aiohttp.ClientHttpProxyError:
            raise OutboundError("proxy") from None
        except aiohttp.InvalidURL:
            raise OutboundError("invalid_address") from None
        except aiohttp.ClientError:
            raise OutboundError("invalid_answer") from None
        except ValueError:  # the library refuses to send the request
            raise OutboundError("invalid_request") from None

    def close(self) -> None:
        """Cancel calls in flight, close the connections and stop the thread. The next use starts it again."""
        with self._lock:
            if self._running is not None and self._running.process == os.getpid():
                self._running.close()
            self._running = None
