"""Emergency alerts while every part is killed: each approval reaches each network, as one message, and before its
cancellation. A message that a network got again, by the same identifier, is counted; the network knows it by that.
"""

from __future__ import annotations

import asyncio
import time
import warnings
from collections import Counter, defaultdict
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Any

import aiohttp
import jwt
import psycopg

from chaos.networks import Taken
from notify.safety import DEVELOPMENT_SECRET

if TYPE_CHECKING:
    from chaos.scenarios import Run

NETWORKS = ("ee", "vodafone", "three", "o2")
EVERY_SECONDS = 0.4
SETTLE_SECONDS = 60.0
DISTURBED_SECONDS = 4.0
"""Around a fault: a call takes two seconds at most, and its result is then written."""

_WAITING = """
SELECT (SELECT count(*) FROM broadcast_event WHERE dispatched_at IS NULL)
     + (SELECT count(*) FROM broadcast_provider_message WHERE status = 'sending')
"""
_MESSAGES = "SELECT id::text, status FROM broadcast_message"
_COPIES = """
SELECT e.broadcast_message_id::text, e.message_type, p.provider, p.id::text, p.status
FROM broadcast_event e LEFT JOIN broadcast_provider_message p ON p.broadcast_event_id = e.id
"""


class Admin:
    """The admin app: people who draft, approve and cancel. What was answered with 200 is noted."""

    def __init__(self, run: Run, session: aiohttp.ClientSession) -> None:
        self._run = run
        self._session = session
        self._service = run.stack.demo["service_id"]
        self._author = run.stack.demo["user"]["id"]
        self._approver = ""
        self.approved: list[str] = []
        self.cancelled: list[str] = []

    async def start(self) -> None:
        """Add the second person."""
        unique = f"{time.time_ns()}"
        user = await self._post(
            "/user",
            {
                "name": "Jo",
                "email_address": f"jo-{unique}@example.gov.uk",
                "password": f"a horse of chaos {unique}",
                "mobile_number": "07700900123",
                "auth_type": "sms_auth",
            },
        )
        assert user is not None
        self._approver = user["data"]["id"]
        path = f"/service/{self._service}/users/{self._approver}"
        assert await self._post(path, {"permissions": [{"permission": "view_activity"}], "folder_permissions": []})

    async def alert(self, number: int) -> None:
        """Draft and approve an alert; every second one is cancelled a little later."""
        base = f"/service/{self._service}/broadcast-message"
        areas = {"ids": ["a"], "simple_polygons": [[[51.5, -0.1], [51.6, -0.1], [51.6, 0.0], [51.5, -0.1]]]}
        body = {"service_id": self._service, "created_by": self._author, "areas": areas}
        draft = await self._post(base, body | {"content": f"Water is rising, {number}.", "reference": f"{number}"})
        if draft is None:
            return
        path = f"{base}/{draft['id']}/status"
        await self._post(path, {"status": "pending-approval", "created_by": self._author})
        if await self._post(path, {"status": "broadcasting", "created_by": self._approver}):
            self.approved.append(draft["id"])
            if number % 2:
                await asyncio.sleep(self._run.dice.uniform(0.0, 2.0))
                if await self._post(path, {"status": "cancelled", "created_by": self._author}):
                    self.cancelled.append(draft["id"])

    async def _post(self, path: str, body: Any) -> Any:
        token = _token()
        try:
            async with self._session.post(
                self._run.stack.base_url + path, json=body, headers={"Authorization": f"Bearer {token}"}
            ) as answer:
                return await answer.json() if answer.status < 300 else None
        except (aiohttp.ClientError, TimeoutError):
            return None


def _token() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the secret of development is short
        return jwt.encode({"iss": "notify-admin", "iat": int(time.time())}, DEVELOPMENT_SECRET, "HS256")


async def broadcast(run: Run) -> None:
    """Alerts are approved and cancelled while networks fail and every part is killed in turn."""
    networks, faults = run.stack.networks, list[float]()
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        admin = Admin(run, session)
        await admin.start()
        networks.share = 0.15
        people = asyncio.create_task(_people(run, admin))
        try:
            for name in (*run.stack.workers, "web", "valkey", "postgres"):
                await run.pause(0.8 / (len(run.stack.workers) + 3))
                faults.append(monotonic())
                await run.kill(name)
                faults.append(monotonic())
        finally:
            networks.share = 0.0
            await people
    await _settle(run)
    await _judge(run, admin, faults)


async def _people(run: Run, admin: Admin) -> None:
    ends, number = monotonic() + run.seconds * 0.8, 0
    alerts = set[asyncio.Task[None]]()
    while monotonic() < ends:
        number += 1
        alerts.add(asyncio.create_task(admin.alert(number)))
        await asyncio.sleep(EVERY_SECONDS)
    await asyncio.gather(*alerts)


async def _settle(run: Run) -> None:
    deadline = monotonic() + SETTLE_SECONDS
    while monotonic() < deadline:
        with suppress(psycopg.OperationalError):
            ((waiting,),) = await run.stack.execute(_WAITING)
            if not waiting:
                return
        await asyncio.sleep(0.25)
    run.violations.append("alerts were still waiting for networks")


async def _judge(run: Run, admin: Admin, faults: list[float]) -> None:
    statuses = dict(await run.stack.execute(_MESSAGES))
    for id_ in admin.approved:
        wanted = ("cancelled",) if id_ in admin.cancelled else ("broadcasting", "cancelled")
        if statuses.get(id_) not in wanted:
            run.violations.append(f"{id_}: approved, and now {statuses.get(id_)}")
    taken: defaultdict[str, list[Taken]] = defaultdict(list)
    for each in run.stack.networks.taken:
        taken[each.identifier].append(each)
    copies = Counter[tuple[str, str, str]]()
    first = dict[tuple[str, str, str], float]()
    for message, kind, network, identifier, status in await run.stack.execute(_COPIES):
        copies[message, kind, network] += 1
        if status != "returned-ack" or not taken[identifier]:
            run.violations.append(f"{message}: {kind} for {network} is {status}, taken {len(taken[identifier])} times")
        else:
            first[message, kind, network] = taken[identifier][0].at
        taken.pop(identifier, None)
    live = [id_ for id_, status in statuses.items() if status in ("broadcasting", "cancelled")]
    for id_ in live:
        for network in NETWORKS:
            for kind in ("alert", "cancel") if statuses[id_] == "cancelled" else ("alert",):
                if copies[id_, kind, network] != 1:
                    run.violations.append(f"{id_}: {copies[id_, kind, network]} messages of {kind} for {network}")
            alert, cancel = first.get((id_, "alert", network)), first.get((id_, "cancel", network))
            if alert and cancel and cancel < alert:
                run.violations.append(f"{id_}: {network} got the end before the alert")
    run.violations += [f"{identifier}: taken, and not known" for identifier in taken]
    _count_repeats(run, faults)
    run.notes.append(f"{len(admin.approved)} alerts approved, {len(admin.cancelled)} cancelled")


def _count_repeats(run: Run, faults: list[float]) -> None:
    """A network may get a message again where its answer got lost, or its caller was killed: by the same identifier."""
    by_identifier: defaultdict[str, list[Taken]] = defaultdict(list)
    for each in run.stack.networks.taken:
        by_identifier[each.identifier].append(each)
    repeats = 0
    for calls in by_identifier.values():
        for earlier in calls[:-1]:
            repeats += 1
            if earlier.answered and not any(abs(earlier.at - fault) < DISTURBED_SECONDS for fault in faults):
                run.violations.append(f"{earlier.identifier}: given to {earlier.network} again without need")
    run.notes.append(f"{repeats} calls repeated with the same identifier")
