"""An HTTP server on loopback that can be told to fail."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from aiohttp import web

from tests.servers.loop import LoopThread


@dataclass(frozen=True)
class Trouble:
    """How the server treats requests from now on, instead of (or before) answering properly."""

    status: int | None = None
    body: bytes = b"trouble"
    delay: float = 0.0
    hang: bool = False
    drop: bool = False
    """Close the connection without an answer."""
    half: bool = False
    """Close the connection in the middle of an answer."""


class HTTPServer:
    """Serves `answer()` at every path. `connections` counts what clients opened; `received` counts requests."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if certificate else None
        if self._tls is not None and certificate is not None:
            self._tls.load_cert_chain(*certificate)
        self.trouble: Trouble | None = None
        self.troubled_requests: int | None = None
        self.received = 0
        self.at_once = 0
        self.most_at_once = 0
        self._peers: set[object] = set()
        self._loop = LoopThread()
        self.port = self._loop.run(self._start())

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    @property
    def connections(self) -> int:
        return len(self._peers)

    def fail(self, trouble: Trouble | None, times: int | None = None) -> None:
        """Fail all requests, or so many of them, in this way."""
        self.trouble, self.troubled_requests = trouble, times

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="hello")

    async def _start(self) -> int:
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        return int(self._runner.addresses[0][1])

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        assert request.transport is not None
        self._peers.add(request.transport.get_extra_info("peername"))
        self.received += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            return await self._trouble(request) or await self.answer(request)
        finally:
            self.at_once -= 1

    async def _trouble(self, request: web.BaseRequest) -> web.StreamResponse | None:
        trouble = self.trouble
        if trouble is None or self.troubled_requests == 0:
            return None
        if self.troubled_requests is not None:
            self.troubled_requests -= 1
        await request.read()
        assert request.transport is not None
        if trouble.hang:
            await asyncio.Event().wait()
        await asyncio.sleep(trouble.delay)
        if trouble.drop:
            request.transport.close()
            return web.Response()
        if trouble.half:
            response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
            await response.prepare(request)
            await response.write(b'{"code": 0, "Ref')
            request.transport.close()
            return response
        if trouble.status is not None:
            return web.Response(status=trouble.status, body=trouble.body, headers={"Location": f"{self.url}/elsewhere"})
        return None

    def close(self) -> None:
        self._loop.run(self._runner.cleanup())
        self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
