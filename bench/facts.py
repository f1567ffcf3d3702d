"""How long the nightly facts of one day take: `python -m bench.facts [--rows N] [--services N]`.

Fills a table with N messages of a day and as many of the six days after it, as services of very different sizes send
them, and makes the facts of that day. Prints the time of each kind of facts, and the median of what the dashboard of
the largest service costs.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Final
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

from bench.stack import remove_database
from notify import migrate, settings
from notify.infra.cache import Cache
from notify.infra.database import Database
from notify.infra.parts import build_parts
from notify.infra.postgres import start_postgres
from notify.reporting.billing_facts import store_billing_of_day
from notify.reporting.counts import count_for_service
from notify.reporting.processing_time import store_processing_time
from notify.reporting.status_facts import store_statuses_of_day
from notify.reporting.template_statistics import count_by_template

DAY: Final = date(2026, 6, 10)
LARGEST: Final = "00000000-0000-7000-8000-000000000001"

_SERVICES: Final = """
INSERT INTO services (id, name, normalised_service_name, email_sender_local_part, created_at, active, restricted,
                      email_message_limit, sms_message_limit, letter_message_limit, international_sms_message_limit,
                      created_by_id, version, prefix_sms, rate_limit, count_as_live)
SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'Service ' || n, 'service.' || n,
       'service.' || n, now(), true, false, 1, 1, 1, 1, (SELECT id FROM users LIMIT 1), 1, false, 3000, true
FROM generate_series(1, %s) AS n
"""
# of the messages of a day the largest service has a tenth, the next ones fewer and fewer
_MESSAGES: Final = """
INSERT INTO notifications (id, "to", service_id, template_id, template_version, key_type, notification_type, created_at,
                           sent_at, sent_by, notification_status, billable_units, rate_multiplier, api_key_id)
SELECT gen_random_uuid(), 'x', ('00000000-0000-7000-8000-' || lpad(to_hex(service), 12, '0'))::uuid,
       ('00000000-0000-7000-9000-' || lpad(to_hex(service * 8 + n %% 7), 12, '0'))::uuid, 1,
       CASE WHEN n %% 50 = 0 THEN 'team' ELSE 'normal' END,
       (CASE WHEN n %% 3 = 0 THEN 'email' ELSE 'sms' END)::notification_type, at, at + interval '2 seconds',
       CASE WHEN n %% 3 = 0 THEN 'ses' WHEN n %% 2 = 0 THEN 'mmg' ELSE 'firetext' END,
       CASE WHEN n %% 20 = 0 THEN 'permanent-failure' ELSE 'delivered' END, 1 + n %% 2, 1, gen_random_uuid()
FROM (SELECT n, %(since)s::timestamptz + n * %(days)s * interval '1 day' / %(rows)s AS at,
             1 + floor(%(services)s * power(random(), 4))::int AS service
      FROM generate_series(0, %(rows)s - 1) AS n) AS message
"""


def main() -> None:
    """Fill a table, make its facts."""
    parser = argparse.ArgumentParser(prog="python -m bench.facts", description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--services", type=int, default=2_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="notify-facts-") as name:
        folder = Path(name)
        server = start_postgres(folder)
        migrate.upgrade(server.url)
        parts = build_parts(
            settings.load(
                notify_environment="test", sqlalchemy_database_uri=server.url, redis_url="redis://127.0.0.1:9"
            )
        )
        try:
            _fill(server.url, options.rows, options.services)
            _measure(parts.database, options.rows)
        finally:
            parts.close()
            server.stop()
            remove_database(folder)


def _fill(url: str, rows: int, services: int) -> None:
    since = datetime(DAY.year, DAY.month, DAY.day, tzinfo=UTC) - timedelta(hours=1)
    with psycopg.connect(url, autocommit=True) as connection:
        for index in ("normalised_to_trgm", "client_reference_trgm"):  # would take most of the time
            connection.execute(f"DROP INDEX ix_notifications_{index}".encode())
        connection.execute(_SERVICES, (services,))
        for start, days in ((since, 1), (since + timedelta(days=1), 6)):
            connection.execute(_MESSAGES, {"since": start, "days": days, "rows": rows, "services": services})
        connection.execute("VACUUM ANALYZE notifications")
        size = connection.execute("SELECT pg_size_pretty(pg_total_relation_size('notifications'))").fetchone()
    print(f"{2 * rows} messages of {services} services, {size[0] if size else '?'}")


def _measure(database: Database, rows: int) -> None:
    steps: list[tuple[str, Callable[[], object]]] = [
        ("billing", lambda: sum(store_billing_of_day(database, DAY))),
        ("billing, again", lambda: sum(store_billing_of_day(database, DAY))),
        ("statuses of texts", lambda: sum(store_statuses_of_day(database, DAY, "sms"))),
        ("statuses of emails", lambda: sum(store_statuses_of_day(database, DAY, "email"))),
        ("statuses of letters", lambda: sum(store_statuses_of_day(database, DAY, "letter"))),
        ("processing time", lambda: store_processing_time(database, DAY)),
    ]
    total = 0.0
    for name, step in steps:
        began = time.perf_counter()
        result = step()
        seconds = time.perf_counter() - began
        total += seconds
        print(f"{seconds:7.2f} s  {name}: {result}")
    print(f"{total:7.2f} s  in all, {total / rows * 2_000_000:.0f} s for 2 million")
    now, largest, cache = datetime(2026, 6, 16, 22, 0, tzinfo=UTC), UUID(LARGEST), Cache("")
    _dashboard(database, "statistics", lambda session: count_for_service(session, cache, largest, days=7, now=now))
    _dashboard(database, "by template", lambda session: count_by_template(session, cache, largest, 7, now=now))


def _dashboard(database: Database, name: str, read: Callable[[Session], object]) -> None:
    times = []
    for _ in range(5):
        began = time.perf_counter()
        with database.reading() as session:
            read(session)
        times.append(time.perf_counter() - began)
    print(f"{median(times) * 1000:7.1f} ms  {name} of the largest service, nothing kept")


if __name__ == "__main__":
    main()
