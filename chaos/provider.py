"""The providers of a chaos run, MMG and Firetext, on loopback: they remember every message they took, report what
became of it until they are heard, and fail as the scenario says.

The outcome of a message is written in the last digit of its number, so that both providers, asked twice, say the same.
"""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Any, Literal, NamedTuple

import aiohttp
from aiohttp import web

Failure = Literal["500", "hang", "unread", "drop", "half"]
TAKEN: frozenset[str] = frozenset({"hang", "drop", "half"})
"""Failures after the message was taken: nobody but the provider knows that it was."""
SLOWEST_SECONDS = 0.3
"""The longest that an answer takes, when nothing is wrong."""
HANG_SECONDS = 12.0
"""Longer than a call to a provider may take."""
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 2.0
"""Between two tries to send a receipt."""
RECEIPTS_AT_A_TIME = 32
"""As a provider has so many connections, and no more: those of a whole job at once would be an attack."""


class Take(NamedTuple):
    """A message that a provider took."""

    id: str
    provider: str
    at: float
    is_answered: bool
    """Whether the caller got the answer, as far as the provider knows."""


@dataclass(frozen=True)
class Trouble:
    """How often calls fail, each in one of these ways."""

    share: float
    kinds: tuple[Failure, ...]


class Plan(NamedTuple):
    """What a provider reports of a message: perhaps something in between, then what became of it, in its own words."""

    mmg: str
    firetext: tuple[dict[str, str], ...]
    status: str


_DELIVERED = Plan("3", ({"status": "0"},), "delivered")
# a failure after something in between is temporary
_PLANS: Mapping[str, Plan] = {
    "6": Plan("3", ({"status": "2"}, {"status": "0"}), "delivered"),
    "7": Plan("4", ({"status": "2"}, {"status": "1"}), "temporary-failure"),
    "8": Plan("2", ({"status": "1", "code": "101"},), "permanent-failure"),
    "9": Plan("5", ({"status": "1", "code": "201"},), "permanent-failure"),
}


def plan(number: str) -> Plan:
    """What becomes of a message to this number."""
    return _PLANS.get(number[-1], _DELIVERED)


class Providers:
    """Both providers: `POST /mmg` and `POST /firetext`. Receipts go to the API at `receipts_url`."""

    def __init__(self, seed: str) -> None:
        self.takes: defaultdict[str, list[Take]] = defaultdict(list)
        self.trouble: Trouble | None = None
        self.delay = 0.0
        """Seconds that each answer takes on top."""
        self.port = 0
        self.receipts_url = ""
        self._seed = seed
        self._calls: defaultdict[str, int] = defaultdict(int)
        self._reports: set[asyncio.Task[None]] = set()
        self._connections = asyncio.Semaphore(RECEIPTS_AT_A_TIME)
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.ServerRunner | None = None

    @property
    def unheard(self) -> int:
        """Messages whose last receipt we have not taken yet."""
        return len(self._reports)

    async def start(self) -> None:
        """Listen on a free port."""
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20))
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=512).start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close everything; receipts that were not heard are given up."""
        for report in self._reports:
            report.cancel()
        await asyncio.gather(*self._reports, return_exceptions=True)
        if self._session:
            await self._session.close()
        if self._runner:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        provider = request.path.strip("/")
        if provider == "mmg":
            values: Mapping[str, Any] = await request.json()
            id_, number = str(values["cid"]), str(values["MSISDN"])
            answer: dict[str, Any] = {"Reference": "1"}
        else:
            values = await request.post()
            id_, number = str(values["reference"]), str(values["to"])
            answer = {"code": 0, "description": "SMS successfully queued"}
        failure, take = self._fails(number), None
        if failure is None or failure in TAKEN:
            take = Take(id_, provider, monotonic(), failure is None)
            self.takes[id_].append(take)
            self._report_soon(take, plan(number))
        # a provider takes its time, so that there are always some messages under way
        await asyncio.sleep(random.Random(f"{self._seed} {id_}").uniform(0.0, SLOWEST_SECONDS) + self.delay)
        if failure is None:
            if request.transport is None or request.transport.is_closing():  # the caller waited no longer
                self._note_unanswered(id_, take)
            return web.json_response(answer)
        return await self._fail(request, failure)

    def _note_unanswered(self, id_: str, take: Take | None) -> None:
        if take is not None:
            takes = self.takes[id_]
            takes[takes.index(take)] = take._replace(is_answered=False)

    def _fails(self, number: str) -> Failure | None:
        trouble = self.trouble
        self._calls[number] += 1
        if trouble is None:
            return None
        # of the number and the count of its calls, so that a seed gives the same failures with any timing
        dice = random.Random(f"{self._seed} {number} {self._calls[number]}")
        return dice.choice(trouble.kinds) if dice.random() < trouble.share else None

    async def _fail(self, request: web.BaseRequest, failure: Failure) -> web.StreamResponse:
        if failure == "500":
            return web.Response(status=500, text="trouble")
        if failure == "hang":
            await asyncio.sleep(HANG_SECONDS)
        elif failure == "half":
            response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": "application/json"})
            with suppress(ConnectionError):  # the caller was quicker
                await response.prepare(request)
                await response.write(b'{"code": 0, "Ref')
            _hang_up(request)
            return response
        _hang_up(request)
        return web.Response()

    # -- receipts

    def _report_soon(self, take: Take, planned: Plan) -> None:
        report = asyncio.create_task(self._report(take, planned))
        self._reports.add(report)
        report.add_done_callback(self._reports.discard)

    async def _report(self, take: Take, planned: Plan) -> None:
        """Send the receipts of a message in their order, each again and again until it is answered with 200."""
        dice = random.Random(f"{self._seed} {take.id}")
        if take.provider == "mmg":
            await asyncio.sleep(dice.uniform(0.0, 0.4))
            await self._send("mmg", json={"CID": take.id, "status": planned.mmg, "substatus": "5"})
            return
        for values in planned.firetext:
            await asyncio.sleep(dice.uniform(0.0, 0.4))
            await self._send("firetext", data={"reference": take.id, **values})

    async def _send(self, provider: str, **body: Any) -> None:
        assert self._session is not None
        pause = FIRST_PAUSE
        while True:
            address = f"{self.receipts_url}/notifications/sms/{provider}"
            with suppress(aiohttp.ClientError, TimeoutError):
                async with self._connections, self._session.post(address, **body) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)


def _hang_up(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.close()
