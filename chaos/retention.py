"""Retention while parts are killed: no message is lost, none is counted twice, and no task has to run only once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID, uuid4

import psycopg

from notify import queues
from notify.infra.broker import broker_settings
from notify.infra.queue import Queue, create_celery
from notify.messages.retention import DELETE_FOR_SERVICE
from notify.queues import QUEUES

if TYPE_CHECKING:
    from chaos.scenarios import Run

SERVICES: Final = 3
MESSAGES: Final = 3_000
"""Added at a time, for each service; a tenth of them with a test key."""
TASKS_AT_ONCE: Final = 2
FINISHED_WITHIN: Final = 60.0

_ADD: Final = """
INSERT INTO notifications (id, "to", normalised_to, service_id, template_id, template_version, key_type,
                           notification_type, created_at, notification_status, job_id, job_row_number)
SELECT id, '\\x00', '447900900123', %s, %s, 1,
       CASE WHEN n %% 10 = 0 THEN 'test' WHEN n %% 10 = 1 THEN 'team' ELSE 'normal' END, 'sms',
       now() - interval '9 days' - n * interval '1 second',
       CASE n %% 7 WHEN 0 THEN 'permanent-failure' WHEN 1 THEN 'sending' ELSE 'delivered' END,
       CASE WHEN n %% 3 = 0 THEN %s::uuid END, CASE WHEN n %% 3 = 0 THEN n END
FROM unnest(%s::uuid[]) WITH ORDINALITY AS given(id, n)
"""
_IS_ADDED: Final = """
SELECT EXISTS (SELECT FROM notifications WHERE id = %s) OR EXISTS (SELECT FROM notification_history WHERE id = %s)
"""
# one statement, as the night's facts are made by: a message is in one of the tables
_COUNT: Final = """
SELECT (SELECT count(*) FROM notifications WHERE service_id = ANY(%s) AND key_type <> 'test')
       + (SELECT count(*) FROM notification_history WHERE service_id = ANY(%s)),
       (SELECT count(*) FROM notifications WHERE service_id = ANY(%s))
"""
_IN_HISTORY: Final = "SELECT id FROM notification_history WHERE service_id = ANY(%s)"


class _Count(NamedTuple):
    """Messages with real keys in both tables together, and those that are not moved or deleted yet."""

    real: int
    left: int


class _Old:
    """Messages whose retention is over."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.services = [uuid4() for _ in range(SERVICES)]
        self.real: set[UUID] = set()

    async def add(self) -> None:
        """Add some. One that may be there already, as the answer got lost, is not added again."""
        for service in self.services:
            ids = [uuid4() for _ in range(MESSAGES)]
            while True:
                try:
                    await self._run.stack.execute(_ADD, service, service, uuid4(), ids)
                    break
                except psycopg.OperationalError:
                    await self._run.database_returns(monotonic())
                    # the first is none of a test key
                    if (await self._run.stack.execute(_IS_ADDED, ids[0], ids[0]))[0][0]:
                        break
            self.real.update(id_ for place, id_ in enumerate(ids, start=1) if place % 10)

    async def count(self) -> _Count:
        """Look at both tables at one moment."""
        services: Sequence[UUID] = self.services
        ((real, left),) = await self._run.stack.execute(_COUNT, services, services, services)
        return _Count(real, left)

    async def check(self) -> None:
        """Note a violation where a message is missing, or there twice."""
        with suppress(psycopg.OperationalError):
            found = await self.count()
            if found.real != len(self.real):
                self._run.violations.append(f"{found.real} messages in both tables together, of {len(self.real)}")


async def retention(run: Run) -> None:
    """Messages are moved to the history, by tasks that come twice, while workers, the database and the broker die."""
    old = _Old(run)
    broker = broker_settings(run.stack.cache_url, list(QUEUES), visibility_seconds=3600, region="", account_id="")
    queue = Queue(create_celery(broker, prefix="", queues=QUEUES), "", broker)

    def publish() -> None:
        before = (datetime.now(UTC) - timedelta(days=7)).isoformat()
        for service in old.services * TASKS_AT_ONCE:
            queue.publish(DELETE_FOR_SERVICE, [str(service), "sms", before], queue=queues.REPORTING)

    kills = 0
    ends = monotonic() + run.seconds * 0.8
    while monotonic() < ends:
        await old.add()
        await asyncio.to_thread(publish)
        await asyncio.sleep(run.dice.uniform(0.05, 0.6))
        await run.kill(run.dice.choice([*run.stack.workers, *run.stack.workers, "postgres", "valkey"]))
        kills += 1
        await old.check()
        await asyncio.sleep(run.dice.uniform(0.1, 1.0))
        await old.check()
    await _finish(run, old, publish=publish)
    queue.close()
    moved = {UUID(str(id_)) for (id_,) in await run.stack.execute(_IN_HISTORY, old.services)}
    if moved != old.real:
        missing, strange = len(old.real - moved), len(moved - old.real)
        run.violations.append(f"{missing} messages are not in the history, {strange} are there that should not")
    run.notes.append(f"{len(moved)} messages moved to the history during {kills} kills")


async def _finish(run: Run, old: _Old, *, publish: Callable[[], None]) -> None:
    """Wait until all are gone; the broker may have forgotten tasks, as it may until the next night."""
    deadline = monotonic() + FINISHED_WITHIN
    while monotonic() < deadline:
        await run.stack.wait_until_ready()
        await asyncio.to_thread(publish)
        await asyncio.sleep(2.0)
        with suppress(psycopg.OperationalError):
            if not (await old.count()).left:
                return
    run.violations.append(f"{(await old.count()).left} messages are left")
