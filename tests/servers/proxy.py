"""The proxy of chaos runs, beside a test."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from chaos.proxy import Proxy
from notify.infra.postgres import SOCKET_NAME
from tests.servers.loop import LoopThread


class ProxyThread:
    """A proxy whose loop has a thread. Attributes of `proxy` may be set from the test's thread."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self._loop = LoopThread()
        self._loop.run(proxy.start())

    def cut(self) -> None:
        """Reset every open connection."""
        self._loop.run(self._cut())

    async def _cut(self) -> None:
        self.proxy.cut()

    def close(self) -> None:
        self._loop.run(self.proxy.stop())
        self._loop.close()


@contextmanager
def before_postgres(url: str) -> Iterator[tuple[ProxyThread, str]]:
    """A proxy before a server that listens on a Unix socket, and the database's address through it."""
    parts = urlsplit(url)
    sockets = parse_qs(parts.query)["host"][0]
    thread = ProxyThread(Proxy(lambda: asyncio.open_unix_connection(f"{sockets}/{SOCKET_NAME}")))
    yield thread, f"postgresql://{parts.username}@127.0.0.1:{thread.proxy.port}{parts.path}"
    thread.close()


@contextmanager
def before_valkey(url: str) -> Iterator[tuple[ProxyThread, str]]:
    """A proxy before a Valkey, and the Valkey's address through it."""
    parts = urlsplit(url)
    thread = ProxyThread(Proxy(lambda: asyncio.open_connection(parts.hostname, parts.port)))
    yield thread, f"redis://:{parts.password}@127.0.0.1:{thread.proxy.port}{parts.path}"
    thread.close()
