"""Nightly work: the facts of a day, and retention. Each runs in a separate process, to measure its memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Final

import psycopg

from bench.scale.databases import Cluster, Days, open_parts
from bench.scale.fill import add_live, live_spans
from bench.scale.rows import PROBE
from notify.infra.ids import new_id
from notify.messages.retention import Retention
from notify.reporting.billing_facts import store_billing_of_day
from notify.reporting.processing_time import store_processing_time
from notify.reporting.status_facts import DAYS_BACK, store_statuses_of_day

PAUSE_SECONDS: Final = 0.005
_STORE: Final = """
INSERT INTO notifications (id, "to", normalised_to, service_id, template_id, template_version, key_type,
                           notification_type, created_at, client_reference)
VALUES (%s, '\\x00', '447900900123', %s, %s, 1, 'test', 'sms', now(), 'new')
"""
_INDEXES: Final = """
SELECT indexrelid::regclass::text, pg_relation_size(indexrelid) / 1048576.0 FROM pg_index
WHERE indrelid = 'notifications'::regclass ORDER BY 2 DESC
"""


def facts(url: str, day: date) -> dict[str, float]:
    """Make the facts of a day; the seconds of each kind, and how much memory of this process it took (MiB)."""
    parts = open_parts(url)
    figures: dict[str, float] = {}
    with parts.database.reading():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    steps: dict[str, Callable[[], object]] = {
        "billing": lambda: sum(store_billing_of_day(parts.database, day)),
        "statuses": lambda: sum(sum(store_statuses_of_day(parts.database, day, kind)) for kind in DAYS_BACK),
        "processing time": lambda: store_processing_time(parts.database, day).total,
    }
    for name, step in steps.items():
        began = time.perf_counter()
        step()
        figures[f"facts: {name}, s"] = time.perf_counter() - began
    figures["facts, s"] = sum(figures.values())
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    parts.close()
    return {
        **figures,
        "facts: memory of the worker, MiB": after / 1024,
        "facts: more than before": (after - before) / 1024,
    }


def retention(url: str, now: datetime) -> dict[str, float]:
    """Move and delete all that is due, as the night does, one service after the other, while somebody stores a message
    every few milliseconds.
    """
    parts = open_parts(url)
    waits: list[float] = []
    stop = threading.Event()
    beside = threading.Thread(target=_store, args=(url, stop, waits))
    beside.start()
    time.sleep(2)
    quiet, number = len(waits), 0
    began = time.perf_counter()
    work = Retention(parts.database, lambda _: None)
    for kind in ("email", "sms"):
        for group in work.due_services(kind, now):
            for service in group:
                while moved := work.move(service.id, kind, service.before):
                    number += moved
                while deleted := work.delete_test(service.id, kind, service.before):
                    number += deleted
    seconds = time.perf_counter() - began
    stop.set()
    beside.join()
    parts.close()
    ordered = sorted(1000 * wait for wait in waits[quiet:])
    return {
        "retention, s": seconds,
        "retention: messages": number,
        "retention: slowest insert beside it, ms": ordered[-1],
        "retention: 99 of 100 inserts within, ms": ordered[int(len(ordered) * 0.99)],
        "retention: slowest insert before it, ms": 1000 * max(waits[:quiet]),
    }


def _store(url: str, stop: threading.Event, waits: list[float]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        while not stop.wait(PAUSE_SECONDS):
            began = time.perf_counter()
            connection.execute(_STORE, (new_id(), PROBE, PROBE))
            waits.append(time.perf_counter() - began)


def in_child(cluster: Cluster, what: str, url: str, argument: str) -> dict[str, float]:
    """The figures of one of these in a new process, and the CPU that the server had for it."""
    before = cluster.cpu()
    run = subprocess.run(
        [sys.executable, "-m", "bench.scale.nightly", what, url, argument], capture_output=True, text=True, check=True
    )
    figures: dict[str, float] = json.loads(run.stdout)
    return {**figures, f"{what}: CPU of the server, s": cluster.cpu() - before}


def refill(cluster: Cluster, url: str, rows: int, seed: int) -> None:
    """Add as many due messages as were moved, all indexes in place; the same ids must not come again."""
    (span,) = live_spans(Days(cluster.folder), "due", rows)
    add_live(url, span, 100 + seed)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE notifications")


def index_sizes(url: str) -> dict[str, float]:
    """MiB of the live table's indexes."""
    with psycopg.connect(url, autocommit=True) as connection:
        sizes = {name: float(size) for name, size in connection.execute(_INDEXES)}
        row = connection.execute("SELECT pg_relation_size('notifications') / 1048576.0").fetchone()
    return {"table": float(row[0]) if row else 0.0, **sizes}


def main() -> None:
    """One of them, for `in_child`."""
    what, url, argument = sys.argv[1:]
    figures = (
        facts(url, date.fromisoformat(argument))
        if what == "facts"
        else retention(url, datetime.fromisoformat(argument))
    )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
