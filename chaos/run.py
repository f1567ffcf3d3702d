"""Runs scenarios one after the other on one product, and judges each when everything has come to rest."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from time import monotonic
from uuid import UUID

import psycopg

from chaos.load import Load, Record
from chaos.scenarios import Run, Scenario
from chaos.stack import Stack
from chaos.verdict import WRITE_SECONDS, Row, Verdict, judge

SETTLE_SECONDS = 90.0
"""The longest time, after the end of the load, in which no message becomes final while some are under way."""
MOST_SHOWN = 10

_UNDER_WAY = """
SELECT count(*) FILTER (WHERE is_under_way), count(*) FILTER (WHERE NOT is_under_way)
FROM (SELECT notification_status IN ('created', 'sending', 'pending', 'pending-virus-check') AS is_under_way
      FROM notifications) AS message
"""
_ROWS = """
SELECT id, client_reference, normalised_to, notification_status FROM notifications
WHERE client_reference LIKE %s ORDER BY created_at, id
"""

COLUMNS = {
    "accepted": "messages that were accepted with a 201",
    "5xx": "requests refused with 500 or above: the client knows, and nothing is promised",
    "broken": "requests without an answer",
    "untold": "messages stored although the client got no 201: the answer got lost; they are sent as well",
    "taken": "messages that a provider took at least once",
    "final": "messages whose status is what the provider said at last",
    "twice": "hand-overs beyond a message's first",
    "bound": "the most of them that are as promised: hand-overs whose answer the provider failed to give, and those"
    " under way (within 0.25 s and a write) when a worker was killed, or cut off from database or provider",
    "5xx s": "the longest that a refusal took",
    "gap s": "the longest time in which no message was accepted",
    "rest s": "from the end of trouble and load until every message was final",
}
HEADER = f"{'scenario':<19}" + "".join(f"{name:>9}" for name in COLUMNS)
LEGEND = "\n".join(f"  {name:<9} {text}" for name, text in COLUMNS.items())


def line(verdict: Verdict) -> str:
    """A row of the table, and below it what is wrong."""
    record = verdict.record
    cells = (
        len(record.accepted),
        record.refused.total(),
        record.broken.total(),
        verdict.unknown,
        verdict.handed_over,
        verdict.final,
        verdict.duplicates,
        verdict.bound,
        f"{record.slowest_refusal:.1f}",
        f"{record.longest_gap():.1f}",
        f"{verdict.seconds:.1f}",
    )
    lines = [f"{record.name:<19}" + "".join(f"{cell:>9}" for cell in cells)]
    lines += [f"    {text}" for text in verdict.notes]
    lines += [f"    VIOLATION {text}" for text in verdict.violations[:MOST_SHOWN]]
    if len(verdict.violations) > MOST_SHOWN:
        lines.append(f"    ... and {len(verdict.violations) - MOST_SHOWN} more")
    return "\n".join(lines)


async def run_scenarios(
    folder: Path,
    scenarios: Mapping[str, Scenario],
    *,
    seed: str,
    seconds: float,
    rate: float,
    workers: int,
    web_processes: int = 2,
    write_seconds: float = WRITE_SECONDS,
    each: Callable[[Verdict], None] = lambda _verdict: None,
) -> list[Verdict]:
    """The verdicts of scenarios that last so many seconds each; `each` is called with one when it is there. On a
    machine that is busy with other work, `write_seconds` is longer: what a write may take there.
    """
    stack = Stack(folder, seed, workers=workers, web_processes=web_processes)
    verdicts = []
    try:
        await stack.start()
        load = Load(stack.base_url, stack.demo, rate)
        for name, scenario in scenarios.items():
            run = Run(stack, random.Random(f"{seed} {name}"), seconds)
            verdict = await _run(stack, load, name, scenario, run, write_seconds)
            verdicts.append(verdict)
            each(verdict)
    finally:
        await stack.stop()
    return verdicts


async def _run(stack: Stack, load: Load, name: str, scenario: Scenario, run: Run, write_seconds: float) -> Verdict:
    record, stop = Record(name), asyncio.Event()
    run.record = record
    loading = asyncio.create_task(load.run(record, stop))
    try:
        await scenario(run)
        await run.pause(0.1)
    finally:
        stop.set()
    load_ended = monotonic()
    await loading
    rest = await _rest(stack)
    await stack.wait_until_ready()
    rows = [
        Row(str(UUID(str(id_))), reference, number, status)
        for id_, reference, number, status in await stack.execute(_ROWS, f"{name}-%")
    ]
    (stack.folder / "logs" / f"requests-{name}.log").write_text("\n".join(record.log))
    seconds = rest - max(run.last_fault, load_ended)
    verdict = judge(record, rows, stack.providers.takes, run.disturbances, seconds, write_seconds)
    verdict.notes += run.notes
    verdict.violations += run.violations
    return verdict


async def _rest(stack: Stack) -> float:
    """When nothing was under way any more. Gives up where messages are under way and none becomes final: a busy machine
    needs its time for many.
    """
    most, moved = -1, monotonic()
    while monotonic() < moved + SETTLE_SECONDS:
        try:
            ((under_way, final),) = await stack.execute(_UNDER_WAY)
        except psycopg.OperationalError:
            under_way, final = -1, most
        if not under_way and not stack.providers.unheard:
            break
        if final > most:
            most, moved = final, monotonic()
        await asyncio.sleep(0.25)
    return monotonic()
