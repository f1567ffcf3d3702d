"""What is done to the product while it works. A scenario is a coroutine that makes trouble for some seconds, and leaves
everything able to recover. It notes the times in which a worker may lose what it knows: nothing else excuses a
duplicate.
"""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

import redis

from chaos.broadcasts import broadcast
from chaos.jobs import jobs
from chaos.load import Record
from chaos.provider import Failure, Trouble
from chaos.proxy import Proxy
from chaos.retention import retention
from chaos.stack import Stack
from chaos.strangers import Crowd, strangers
from chaos.verdict import Disturbance

LONGER_THAN_A_CALL = 13.0
QUEUED_BESIDES = 200

_CREATED = "SELECT count(*) FROM notifications WHERE notification_status = 'created'"
_REFUSE = """
CREATE FUNCTION chaos_refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = 'character_not_in_repertoire'; END $$;
CREATE TRIGGER chaos_refuse BEFORE UPDATE ON notifications FOR EACH ROW
WHEN (OLD.notification_status = 'created' AND NEW.billable_units > 0 AND NEW.normalised_to LIKE '%3')
EXECUTE FUNCTION chaos_refuse()
"""


@dataclass
class Run:
    """One run of a scenario."""

    stack: Stack
    dice: random.Random
    seconds: float
    record: Record = field(default_factory=lambda: Record(""))
    """What the clients see meanwhile."""
    disturbances: list[Disturbance] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    last_fault: float = 0.0

    async def pause(self, share: float) -> None:
        """Let a share of the scenario's time pass."""
        await asyncio.sleep(self.seconds * share)

    def note(self, kind: str, begin: float, end: float | None = None) -> None:
        """A time in which a worker may have lost what it knew."""
        self.disturbances.append(Disturbance(kind, begin, end or begin))

    # -- single faults

    async def kill(self, name: str) -> None:
        """Kill a part."""
        began = monotonic()
        self.stack.kill(name)
        if name == "postgres":
            await self.database_returns(began)
        elif name.startswith("worker"):
            self.note(name, began)
        self.last_fault = monotonic()

    async def kill_child(self, name: str) -> None:
        """Kill a process of the web server, or a session of the database (which ends all sessions)."""
        began = monotonic()
        self.stack.kill_child(name, self.dice)
        if name == "postgres":
            await self.database_returns(began)
        self.last_fault = monotonic()

    async def database_returns(self, began: float) -> None:
        """Wait until PostgreSQL, killed at `began`, answers again."""
        await asyncio.sleep(0.3)
        async with asyncio.timeout(60):
            while True:
                with suppress(Exception):
                    await self.stack.execute("SELECT 1")
                    break
                await asyncio.sleep(0.1)
        self.note("database", began, monotonic())

    async def disturb(self, proxy: Proxy, kind: str) -> None:
        """One disturbance of the connections through a proxy."""
        began = monotonic()
        if kind == "cut":
            proxy.cut()
        elif kind == "half-close":
            proxy.half_close()
        elif kind == "refuse":
            proxy.mode = "refuse"
            proxy.cut()
            await asyncio.sleep(1.5)
        elif kind == "stall":
            proxy.mode = "stall"
            await asyncio.sleep(2.5)
            proxy.cut()
        elif kind == "delay":
            proxy.delay = 0.05
            await asyncio.sleep(2.0)
        proxy.mode, proxy.delay = "forward", 0.0
        if proxy is not self.stack.cache_proxy:
            self.note(kind, began, monotonic())
        self.last_fault = monotonic()

    async def freeze(self, name: str, seconds: float) -> None:
        """Stop a part as if its machine hung, and let it go on."""
        self.stack.signal_family(name, signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self.stack.signal_family(name, signal.SIGCONT)
        self.last_fault = monotonic()

    async def fill_broker(self, seconds: float) -> None:
        """Leave the broker no memory for so long."""
        cache = self.stack.cache()
        try:
            await asyncio.to_thread(cache.config_set, "maxmemory", 1)
            await asyncio.sleep(seconds)
        finally:
            await asyncio.to_thread(cache.config_set, "maxmemory", 0)
            cache.close()
        self.last_fault = monotonic()

    async def empty_broker(self) -> None:
        """Make the broker forget everything: every queue, every task under way, every counter."""
        with suppress(redis.RedisError):
            await asyncio.to_thread(self.stack.cache().flushall)
        self.last_fault = monotonic()

    def trouble(self, share: float, *kinds: Failure) -> None:
        """How the providers fail from now on."""
        self.stack.providers.trouble = Trouble(share, kinds) if kinds else None
        self.last_fault = monotonic()


Scenario = Callable[[Run], Awaitable[None]]


async def calm(run: Run) -> None:
    """Nothing happens."""
    await run.pause(0.7)


def _kills(*names: str, times: int = 2) -> Scenario:
    async def scenario(run: Run) -> None:
        for _ in range(times):
            for name in names:
                await run.pause(0.6 / (times * len(names)))
                await run.kill(name)

    return scenario


async def kill_web(run: Run) -> None:
    """The whole web server, then a process of it."""
    await run.pause(0.2)
    await run.kill("web")
    await run.pause(0.4)
    await run.kill_child("web")
    await run.pause(0.1)


async def kill_workers(run: Run) -> None:
    """Each worker, then all at once."""
    for name in run.stack.workers:
        await run.pause(0.2)
        await run.kill(name)
    await run.pause(0.3)
    for name in run.stack.workers:
        await run.kill(name)


async def kill_postgres(run: Run) -> None:
    """The server, then a session of it."""
    await run.pause(0.2)
    await run.kill("postgres")
    await run.pause(0.3)
    await run.kill_child("postgres")
    await run.pause(0.1)


async def power_cut(run: Run) -> None:
    """Everything at once."""
    await run.pause(0.3)
    began = monotonic()
    for name in ("web", *run.stack.workers, "beat", "valkey", "postgres"):
        run.stack.kill(name)
    await run.database_returns(began)
    run.last_fault = monotonic()
    await run.stack.wait_until_ready()
    await run.pause(0.2)


async def kill_at_random(run: Run) -> None:
    """Any part, at any time."""
    names = ["web", *run.stack.workers, "beat", "valkey", "postgres"]
    ends = monotonic() + run.seconds * 0.8
    while monotonic() < ends:
        await asyncio.sleep(run.dice.uniform(0.5, 3.0))
        name = run.dice.choice(names)
        if name in ("web", "postgres") and run.dice.random() < 0.4:
            await run.kill_child(name)
        else:
            await run.kill(name)


def _cuts(proxy_of: Callable[[Stack], Proxy]) -> Scenario:
    async def scenario(run: Run) -> None:
        kinds = ["cut", "half-close", "refuse", "delay", "stall"]
        run.dice.shuffle(kinds)
        for kind in kinds:
            await run.pause(0.12)
            await run.disturb(proxy_of(run.stack), kind)

    return scenario


async def freeze_database(run: Run) -> None:
    """PostgreSQL does not move for a while."""
    await run.pause(0.2)
    began = monotonic()
    await run.freeze("postgres", 3.0)
    run.note("freeze", began, monotonic())
    await run.pause(0.2)


async def freeze_broker(run: Run) -> None:
    """Valkey does not move for a while."""
    await run.pause(0.2)
    await run.freeze("valkey", 8.0)
    await run.pause(0.2)


async def broker_full(run: Run) -> None:
    """Valkey takes nothing new."""
    await run.pause(0.2)
    await run.fill_broker(run.seconds * 0.4)
    await run.pause(0.2)


async def broker_emptied(run: Run) -> None:
    """Valkey forgets everything, three times."""
    for _ in range(3):
        await run.pause(0.2)
        await run.empty_broker()


def _trouble(share: float, *kinds: Failure) -> Scenario:
    async def scenario(run: Run) -> None:
        run.trouble(share, *kinds)
        await run.pause(0.8)
        run.trouble(0)

    return scenario


async def read_only(run: Run) -> None:
    """PostgreSQL takes no writes for a while, as one does that is no longer the primary."""
    await run.pause(0.2)
    await run.stack.configure_postgres("default_transaction_read_only", "on")
    try:
        await run.pause(0.4)
    finally:
        await run.stack.configure_postgres("default_transaction_read_only", None)
    run.last_fault = monotonic()
    await run.pause(0.2)


async def freeze_worker(run: Run) -> None:
    """A worker does not move for longer than a call to a provider may take; then it goes on."""
    await run.pause(0.2)
    await run.freeze(run.stack.workers[0], LONGER_THAN_A_CALL)
    await run.pause(0.2)


async def idle_limits(run: Run) -> None:
    """PostgreSQL ends transactions that are idle, or long, while providers take their time."""
    limits = {"idle_in_transaction_session_timeout": "'500ms'", "transaction_timeout": "'1s'"}
    run.stack.providers.delay = 2.5
    for name, value in limits.items():
        await run.stack.configure_postgres(name, value)
    try:
        await run.pause(0.7)
    finally:
        for name in limits:
            await run.stack.configure_postgres(name, None)
        run.stack.providers.delay = 0.0
    run.last_fault = monotonic()


async def all_down(run: Run) -> None:
    """No provider takes anything. What waits is in the queues once, however long that takes."""
    run.trouble(1.0, "500")
    most, most_often, waiting = 0, 0, 0
    ends = monotonic() + run.seconds * 0.8
    while monotonic() < ends:
        await asyncio.sleep(2.0)
        found = await asyncio.to_thread(run.stack.queued_messages)
        ((waiting,),) = await run.stack.execute(_CREATED)
        most, most_often = max(most, found.total()), max(most_often, *found.values(), 0)
        # besides the one that waits: what is under way just now, and one of the sweeper for what came last
        if found.total() > waiting * 1.2 + QUEUED_BESIDES:
            run.violations.append(f"{found.total()} tasks' messages in the queues for {waiting} that wait")
    run.notes.append(f"{waiting} messages waited at last, at most {most} in the queues, one at most {most_often} times")
    run.trouble(0)


async def refused_results(run: Run) -> None:
    """The database refuses what a provider answered for some messages."""
    await run.stack.execute(_REFUSE)
    try:
        await run.pause(0.8)
    finally:
        await run.stack.execute("DROP FUNCTION chaos_refuse() CASCADE")
    run.last_fault = monotonic()


async def storm(run: Run) -> None:
    """Everything together."""
    stack = run.stack
    run.trouble(0.15, "500", "drop", "half", "unread")
    ends = monotonic() + run.seconds * 0.8
    while monotonic() < ends:
        await asyncio.sleep(run.dice.uniform(0.5, 2.5))
        match run.dice.randrange(6):
            case 0 | 1:
                await run.kill(run.dice.choice(["web", *stack.workers, "beat", "valkey", "postgres"]))
            case 2:
                await run.disturb(stack.database_proxy, run.dice.choice(["cut", "half-close", "refuse", "stall"]))
            case 3:
                await run.disturb(stack.cache_proxy, run.dice.choice(["cut", "half-close", "refuse", "stall"]))
            case 4:
                await run.disturb(stack.provider_proxy, run.dice.choice(["cut", "half-close", "refuse", "delay"]))
            case 5:
                await run.empty_broker()
    run.trouble(0)


CROWD = Crowd(silent=1000, slow_bodies=200, half_headers=100)
SLOWEST_SECONDS = 0.5
"""The 99th percentile of the answers to clients with a key, while strangers are there."""


def _crowded(crowd: Crowd) -> Scenario:
    async def scenario(run: Run) -> None:
        await run.pause(0.1)
        seen = len(run.record.seconds)
        async with strangers(run.stack.web_port, crowd):
            await run.pause(0.8)
            seconds = sorted(run.record.seconds[seen:])
        slowest = seconds[int(len(seconds) * 0.99)] if seconds else 0.0
        run.notes.append(f"99 of 100 answers within {1000 * slowest:.0f} ms beside {sum(crowd)} strangers")
        if not seconds or slowest > SLOWEST_SECONDS:
            run.violations.append(f"answers took {slowest:.2f} s")
        if run.record.refused or run.record.broken:
            run.violations.append("requests were refused or broken, and no part was in trouble")

    return scenario


async def short(run: Run) -> None:
    """One of each, for `make test`: providers fail now and then while four parts are killed."""
    run.trouble(0.2, "500", "drop", "half", "unread")
    for name in (run.stack.workers[0], "web", "valkey", "postgres"):
        await run.pause(0.2)
        await run.kill(name)
    await run.pause(0.1)
    run.trouble(0)


SCENARIOS: dict[str, Scenario] = {
    "calm": calm,
    "kill-web": kill_web,
    "kill-workers": kill_workers,
    "kill-beat": _kills("beat"),
    "kill-valkey": _kills("valkey"),
    "kill-postgres": kill_postgres,
    "power-cut": power_cut,
    "kill-at-random": kill_at_random,
    "cut-database": _cuts(lambda stack: stack.database_proxy),
    "cut-broker": _cuts(lambda stack: stack.cache_proxy),
    "cut-provider": _cuts(lambda stack: stack.provider_proxy),
    "freeze-database": freeze_database,
    "freeze-broker": freeze_broker,
    "broker-full": broker_full,
    "broker-emptied": broker_emptied,
    "provider-500": _trouble(0.5, "500"),
    "provider-hangs": _trouble(0.2, "hang"),
    "provider-half": _trouble(0.4, "unread", "drop", "half"),
    "read-only": read_only,
    "freeze-worker": freeze_worker,
    "idle-limits": idle_limits,
    "all-down": all_down,
    "refused-results": refused_results,
    "storm": storm,
    "broadcast": broadcast,
    "strangers": _crowded(CROWD),
    "retention": retention,
    "jobs": jobs,
}
