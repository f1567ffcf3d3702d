"""The functions of the mobile networks for a chaos run: they take alerts, and now and then fail or do not say so."""

from __future__ import annotations

import asyncio
import json
import random
import re
from time import monotonic
from typing import NamedTuple

from aiohttp import web

SLOWEST_SECONDS = 0.4
_PATH = re.compile(r"/2015-03-31/functions/([^/]+)/invocations")


class Taken(NamedTuple):
    """An alert or a cancellation that a network took. `answered`: the caller heard of it."""

    network: str
    identifier: str
    kind: str
    at: float
    answered: bool


class Networks:
    """AWS Lambda's Invoke API. A share of the calls fails, and the answer of as many gets lost."""

    def __init__(self, seed: str) -> None:
        self.taken: list[Taken] = []
        self.share = 0.0
        self.port = 0
        self._dice = random.Random(f"{seed} networks")
        self._runner: web.ServerRunner | None = None

    async def start(self) -> None:
        """Listen on a free port."""
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close everything."""
        if self._runner:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        called = _PATH.fullmatch(request.path)
        if called is None:
            return web.Response(status=404)
        payload = json.loads(await request.read())
        kind = payload.get("message_type", "canary")
        if kind not in ("alert", "cancel"):
            return web.Response(text="null")
        if self._dice.random() < self.share:
            return web.json_response({"errorMessage": "down"}, headers={"X-Amz-Function-Error": "Unhandled"})
        is_lost = self._dice.random() < self.share
        network = called[1].partition("-")[0]
        self.taken.append(Taken(network, payload["identifier"], kind, monotonic(), not is_lost))
        # a network takes its time, so that there are always some alerts under way
        await asyncio.sleep(self._dice.uniform(0.0, SLOWEST_SECONDS))
        if is_lost and request.transport is not None:
            request.transport.close()
        return web.Response(text="null")
