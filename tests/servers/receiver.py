"""A service's own server, which callbacks are sent to."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from tests.servers.http import HTTPServer


@dataclass(frozen=True)
class Call:
    """A callback that arrived."""

    path: str
    headers: dict[str, str]
    raw: bytes
    at: float

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class Receiver(HTTPServer):
    """Takes callbacks at any path; at `/hang...` it does so and never answers."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.calls: list[Call] = []
        super().__init__(certificate)

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.calls.append(Call(request.path, headers, await request.read(), time.monotonic()))
        if request.path.startswith("/hang"):
            await asyncio.Event().wait()
        if request.path.startswith("/large"):
            return web.Response(body=b"x" * 3_000_000)
        return web.Response(text="thank you")

    def at(self, path: str) -> list[Call]:
        return [call for call in self.calls if call.path == path]

    def wait_for(self, number: int, path: str | None = None, seconds: float = 20) -> list[Call]:
        """The calls, once there are so many."""
        deadline = time.monotonic() + seconds
        while True:
            calls = self.calls if path is None else self.at(path)
            if len(calls) >= number:
                return list(calls)
            assert time.monotonic() < deadline, f"{len(calls)} of {number} calls"
            time.sleep(0.01)
