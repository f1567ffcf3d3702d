"""Filling the databases: a COPY into each month's new partition, indexes afterwards, two months at a time."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg

from bench.scale.databases import Cluster, Days, open_parts
from bench.scale.rows import HISTORY_COLUMNS, LIVE_COLUMNS, PROBE, SERVICES, Span, lines
from bench.stack import prepare_demo
from notify import migrate
from notify.infra.secrets import Encryptor
from notify.messages.models import HISTORY_DEFAULT
from notify.messages.partitions import Month

PROBE_TODAY: Final = 12_600
PROBE_A_DAY: Final = 1_000
KEPT_FREE: Final = 15 * 2**30
"""Bytes of the disk that a load leaves free: it stops before."""

_SERVICES: Final = """
INSERT INTO services (id, name, normalised_service_name, email_sender_local_part, created_at, active, restricted,
                      email_message_limit, sms_message_limit, letter_message_limit, international_sms_message_limit,
                      created_by_id, version, prefix_sms, rate_limit, count_as_live)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Service ' || n, 'service.' || n,
       'service.' || n, now(), true, false, 1, 1, 1, 1, (SELECT id FROM users LIMIT 1), 1, false, 3000, true
FROM generate_series(1, %s) AS n UNION ALL
SELECT %s, 'Probe', 'probe', 'probe', now(), true, false, 1, 1, 1, 1, (SELECT id FROM users LIMIT 1), 1, false, 3000,
       true
"""
_FACTS: Final = """
INSERT INTO ft_notification_status (bst_date, template_id, service_id, job_id, notification_type, key_type,
                                    notification_status, notification_count, created_at)
SELECT day::date, service, service, '00000000-0000-0000-0000-000000000000', type, 'normal', status, 10, now()
FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS day,
     (SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS service
      FROM generate_series(1, %(services)s) AS n) AS every,
     unnest(ARRAY['sms', 'email']) AS type, unnest(ARRAY['delivered', 'permanent-failure']) AS status
"""
_BILLING: Final = """
INSERT INTO ft_billing (bst_date, template_id, service_id, notification_type, provider, rate_multiplier, international,
                        rate, postage, billable_units, notifications_sent, created_at)
SELECT day::date, service, service, 'sms', 'mmg', 1, false, 0.0227, 'none', 15, 10, now()
FROM generate_series(%(first)s::date, %(last)s::date, interval '1 day') AS day,
     (SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS service
      FROM generate_series(1, %(services)s) AS n) AS every
"""


def _copy(connection: psycopg.Connection[Any], table: str, columns: str, pieces: Iterable[str], how: str = "") -> None:
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({columns}) FROM STDIN {how}".encode()) as copy,
    ):
        for piece in pieces:
            copy.write(piece)


def _encryptor(url: str) -> Encryptor:
    parts = open_parts(url)
    parts.close()
    return parts.encryptor


def prepare(cluster: Cluster, side: str) -> str:
    """A migrated database with services; its address."""
    url = cluster.url(side)
    folder = cluster.folder / side
    folder.mkdir(exist_ok=True)
    migrate.upgrade(url)
    with psycopg.connect(url, autocommit=True) as connection:
        if not connection.execute("SELECT FROM services WHERE id = %s", [PROBE]).rowcount:
            prepare_demo(url, "redis://127.0.0.1:9", folder, "http://localhost")
            connection.execute(_SERVICES, (SERVICES, PROBE))
    return url


def fill_history(cluster: Cluster, url: str, rows: int, years: int) -> int:
    """Fill the history of some years up to the live messages; how many messages there was room for."""
    days = Days(cluster.folder)
    months = _months(days.midnight(0) - timedelta(days=365 * years), days.kept_since - timedelta(days=2))
    whole = sum((until - since).total_seconds() for _, since, until in months)
    filled = 0
    with ProcessPoolExecutor(2) as pool:
        for pair in [months[n : n + 2] for n in range(0, len(months), 2)]:
            if shutil.disk_usage(cluster.folder).free < KEPT_FREE:
                print(f"stopped before {pair[0][0].name}: the disk is nearly full")
                break
            spans = [
                Span(since, until, int(rows * (until - since).total_seconds() / whole)) for _, since, until in pair
            ]
            began = time.perf_counter()
            list(pool.map(_fill_month, [url] * len(pair), [month.name for month, _, _ in pair], spans))
            for (month, _, _), span in zip(pair, spans, strict=True):
                _attach(url, month)
                filled += span.number
            print(
                f"{filled:,} messages of history, to {pair[-1][0].name}: {time.perf_counter() - began:.0f} s more",
                flush=True,
            )
    return filled


def _months(since: datetime, until: datetime) -> Sequence[tuple[Month, datetime, datetime]]:
    """Months, with the parts of them that are filled."""
    found = []
    month = Month.of(since)
    while month.begins < until:
        found.append((month, max(since, month.begins), min(until, month.ends)))
        month = Month.of(month.ends)
    return found


def _fill_month(url: str, name: str, span: Span) -> None:
    """Make a table like the default partition, full, with its indexes. COPY into a table that is made in the same
    transaction writes no WAL (`wal_level = minimal`), and frozen rows need no VACUUM.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '512MB'")
        with connection.transaction():
            connection.execute(
                f"CREATE TABLE {name} (LIKE {HISTORY_DEFAULT} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)".encode()
            )
            _copy(connection, name, HISTORY_COLUMNS, lines(span, int(name[-2:]), None), "WITH (FREEZE)")
        connection.execute(f"ALTER TABLE {name} ADD PRIMARY KEY (id)".encode())
        for (definition,) in connection.execute(
            "SELECT indexdef FROM pg_indexes WHERE tablename = %s AND indexdef NOT LIKE 'CREATE UNIQUE%%'",
            [HISTORY_DEFAULT],
        ).fetchall():
            _, _, rest = definition.partition(" USING ")
            connection.execute(f"CREATE INDEX ON {name} USING {rest}".encode())
        connection.execute(f"ANALYZE {name}".encode())


def _attach(url: str, month: Month) -> None:
    first, end = month.ids
    with psycopg.connect(url, autocommit=True) as connection:
        bounds = f"FROM ('{first}') TO ('{end}')"
        connection.execute(
            f"ALTER TABLE notification_history ATTACH PARTITION {month.name} FOR VALUES {bounds}".encode()
        )


def live_spans(days: Days, kind: str, rows: int) -> list[Span]:
    """What lies among the live messages: `due` for the history, `day` (yesterday), `rest` (the days between)."""
    if kind == "due":
        return [Span(days.kept_since - timedelta(days=1), days.kept_since, rows)]
    if kind == "day":
        return [Span(days.midnight(1), days.midnight(0), rows)]
    if kind == "rest":
        return [
            Span(days.midnight(7), days.midnight(1), rows * 6 // 7),
            Span(days.midnight(0), days.now, rows - rows * 6 // 7),
        ]
    return [
        *(Span(days.midnight(n), days.midnight(n - 1), PROBE_A_DAY, PROBE) for n in range(7, 0, -1)),
        Span(days.midnight(0), days.now, PROBE_TODAY, PROBE),
    ]


def fill_live(url: str, spans: Sequence[Span]) -> None:
    """Fill the empty live table, and make its indexes afterwards."""
    encryptor = _encryptor(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        with _without_indexes(connection), connection.transaction():
            connection.execute("TRUNCATE notifications")
            for seed, span in enumerate(spans):
                _copy(connection, "notifications", LIVE_COLUMNS, lines(span, seed, encryptor), "WITH (FREEZE)")
        connection.execute("VACUUM (ANALYZE) notifications")


def add_live(url: str, span: Span, seed: int) -> None:
    """Add messages, 500 a transaction as the product does, all indexes in place."""
    encryptor = _encryptor(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = off")
        for piece in lines(span, seed, encryptor):
            _copy(connection, "notifications", LIVE_COLUMNS, [piece])


@contextmanager
def _without_indexes(connection: psycopg.Connection[Any]) -> Any:
    """Drop the indexes of the live table, and make them again at the end."""
    indexes = connection.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'notifications' "
        "AND indexname NOT IN (SELECT conname FROM pg_constraint)"
    ).fetchall()
    constraints = connection.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = 'notifications'::regclass AND contype IN ('p', 'u')"
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}".encode())
    for name, _ in constraints:
        connection.execute(f"ALTER TABLE notifications DROP CONSTRAINT {name}".encode())
    yield
    for name, definition in constraints:
        connection.execute(f"ALTER TABLE notifications ADD CONSTRAINT {name} {definition}".encode())
    for _, definition in indexes:
        connection.execute(definition.encode())


def fill_facts(url: str, days: Days, years: int) -> None:
    """Facts of each day, of the services that send most."""
    values = {
        "first": days.today - timedelta(days=365 * years),
        "last": days.today - timedelta(days=2),
        "services": SERVICES // 5,
    }
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_FACTS, values)
        connection.execute(_BILLING, values)
        connection.execute("VACUUM (ANALYZE) ft_notification_status")
        connection.execute("VACUUM (ANALYZE) ft_billing")


def describe(url: str) -> str:
    """The sizes of a database's big tables and indexes."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT coalesce(parent.relname, c.relname) AS name, "
            "pg_size_pretty(sum(pg_relation_size(c.oid))) || ' + indexes of ' "
            "|| pg_size_pretty(sum(pg_indexes_size(c.oid))), sum(c.reltuples)::bigint, count(*) "
            "FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid "
            "LEFT JOIN pg_class parent ON parent.oid = i.inhparent "
            "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace "
            "GROUP BY 1 HAVING sum(pg_total_relation_size(c.oid)) > 30000000 ORDER BY sum(c.reltuples) DESC"
        ).fetchall()
    return "\n".join(
        f"  {name}: about {number:,} rows in {tables} tables, {size}" for name, size, number, tables in rows
    )
