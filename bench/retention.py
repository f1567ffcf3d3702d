"""How long the night's retention takes, and whether it holds up what comes in: `python -m bench.retention [--rows N]`.

One service has all the messages, delivered texts with a few of each other status. While they are moved to the history,
another connection stores a message every few milliseconds, as the API does, and its longest wait is printed.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psutil
import psycopg

from bench.stack import remove_database
from notify import migrate
from notify.infra.database import Database
from notify.infra.ids import new_id
from notify.infra.postgres import start_postgres
from notify.infra.times import utc_now
from notify.messages.retention import Retention

SERVICE: Final = UUID(int=7)
PAUSE_SECONDS: Final = 0.005
FILLED_AT_A_TIME: Final = 50_000

_FILL: Final = """
INSERT INTO notifications (id, "to", _personalisation, normalised_to, service_id, template_id, template_version,
                           api_key_id, key_type, notification_type, created_at, sent_at, sent_by, updated_at, reference,
                           billable_units, client_reference, notification_status)
SELECT gen_random_uuid(), repeat('x', 40)::bytea, repeat('x', 90)::bytea, '4479' || lpad(n::text, 8, '0'), %(service)s,
       %(service)s, 1, %(service)s, CASE WHEN n %% 20 = 0 THEN 'test' ELSE 'normal' END, 'sms',
       now() - interval '9 days' + n * interval '1 millisecond', now(), 'mmg', now(), gen_random_uuid()::text, 1,
       'reference-' || n, CASE n %% 50 WHEN 0 THEN 'permanent-failure' WHEN 1 THEN 'temporary-failure'
                                       ELSE 'delivered' END
FROM generate_series(%(first)s::int, %(last)s::int) AS n
"""
_STORE: Final = """
INSERT INTO notifications (id, "to", normalised_to, service_id, template_id, template_version, key_type,
                           notification_type, created_at, client_reference)
VALUES (%s, '\\x00', '447900900123', %s, %s, 1, 'normal', 'sms', now(), 'new')
"""


def _store(url: str, stop: threading.Event, waits: list[float]) -> None:
    """Store messages, and note how long each took, until told to stop."""
    with psycopg.connect(url, autocommit=True) as connection:
        while not stop.wait(PAUSE_SECONDS):
            began = time.perf_counter()
            connection.execute(_STORE, (new_id(), SERVICE, SERVICE))
            waits.append(time.perf_counter() - began)


def _cpu(server: psutil.Process) -> float:
    """CPU seconds of the server, of those that have ended too, and of this process."""
    total = sum(os.times()[:2])
    for process in [server, *server.children()]:
        times: Any = process.cpu_times()
        total += times.user + times.system
    times = server.cpu_times()
    return float(total + times.children_user + times.children_system)


def measure(rows: int, folder: Path) -> None:
    """Print the figures."""
    server = start_postgres(folder)
    migrate.upgrade(server.url)
    database = Database(server.url)
    for first in range(1, rows + 1, FILLED_AT_A_TIME):
        with database.connection() as connection:
            last = min(first + FILLED_AT_A_TIME - 1, rows)
            connection.execute(_FILL, {"service": SERVICE, "first": first, "last": last})
    with database.autocommit() as connection:
        connection.execute("VACUUM ANALYZE notifications")
        (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
    parent = psutil.Process(pid).parent()
    assert parent is not None
    waits: list[float] = []
    stop = threading.Event()
    beside = threading.Thread(target=_store, args=(server.url, stop, waits))
    beside.start()
    time.sleep(1)
    quiet, before_cpu = len(waits), _cpu(parent)
    began = time.perf_counter()
    retention, before = Retention(database, lambda _: None), utc_now() - timedelta(days=7)
    moved = deleted = 0
    while number := retention.move(SERVICE, "sms", before):
        moved += number
    while number := retention.delete_test(SERVICE, "sms", before):
        deleted += number
    seconds, cpu_seconds = time.perf_counter() - began, _cpu(parent) - before_cpu
    stop.set()
    beside.join()
    ordered = sorted(1000 * wait for wait in waits[quiet:])
    print(
        f"{moved:,} messages moved, {deleted:,} test messages deleted in {seconds:.1f} s, {cpu_seconds:.1f} s of CPU: "
        f"{(moved + deleted) / seconds:,.0f} a second"
    )
    print(
        f"{len(ordered)} messages stored meanwhile: 99 of 100 within {ordered[int(len(ordered) * 0.99)]:.1f} ms, "
        f"the slowest {ordered[-1]:.1f} ms; before: {1000 * max(waits[:quiet]):.1f} ms"
    )
    database.close()
    server.stop()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.retention", description=__doc__)
    parser.add_argument("--rows", type=int, default=300_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="notify-retention-") as folder:
        try:
            measure(options.rows, Path(folder))
        finally:
            remove_database(Path(folder))


if __name__ == "__main__":
    main()
