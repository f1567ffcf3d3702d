"""How the admin app's pages do as messages become many: `python -m bench.pages [--messages N] [--services N]`.

Some services have many more messages than others: the largest has a sixth of all, half of them in jobs of up to 100,000
rows. Requests go to the internal API as the admin app makes them, and nothing is kept in a cache.
Prints the 95th percentile of 20 requests of each kind, in milliseconds: to the largest service alone, and to all.
`--folder` keeps the database there, and takes it from there the next time.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from statistics import median, quantiles
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg

from bench.growth import SLOW_TO_FILL
from bench.people import Caller
from bench.stack import remove_database
from notify import migrate, settings
from notify.accounts.actions import create_user
from notify.app import EXTENSION, create_app
from notify.cli.bulk_data import make_services
from notify.infra.parts import Parts, build_parts
from notify.infra.postgres import start_postgres
from notify.infra.times import utc_now
from notify.reporting import bulk_data

CALLS: Final = 20
FILTERS_CALLS: Final = 3
LIMIT_MILLISECONDS: Final = 100.0
TERMS: Final = (
    "07700",
    "900123",
    "07700 900 123",
    "0",
    "12",
    "case",
    "case-4999",
    "zq",
    "zzz",
    "person.12",
    "@example",
)


class Page(NamedTuple):
    """A kind of request: what it is to people, and how a request to a service is made."""

    name: str
    make: Callable[[UUID], tuple[Any, ...]]
    calls: int = CALLS


def fill(url: str, parts: Parts, messages: int, services: int) -> None:
    """Fill a database."""
    began = time.perf_counter()
    with psycopg.connect(url, autocommit=True) as connection:
        for index in SLOW_TO_FILL:
            connection.execute(f"DROP INDEX {index}".encode())
        with parts.database.transaction() as session:
            user = create_user(
                session, name="Ada", email_address="ada@example.gov.uk", password="p", auth_type="email_auth"
            )
            sources = make_services(session, user, services)
        for place, source in enumerate(sources):
            source.weight = 1 / (1 + place // 2)
        done = 0

        def step(number: int) -> None:
            nonlocal done
            done += number
            if done % 500_000 == 0:
                print(f"{time.perf_counter() - began:8.0f} s   {done:,} messages", flush=True)

        now = utc_now()
        bulk_data.fill_live(parts, sources, messages, now, step=step)
        for source in sources:
            bulk_data.fill_history(parts, source, 1_000, bulk_data.end_of_history(now))
        connection.execute("SET maintenance_work_mem = '256MB'")
        for index, column in SLOW_TO_FILL.items():
            connection.execute(f"CREATE INDEX {index} ON notifications USING gin ({column} gin_trgm_ops)".encode())
        connection.execute("VACUUM (ANALYZE)")
        bulk_data.store_facts(parts, sources, now)
        connection.execute("VACUUM (ANALYZE) ft_notification_status, ft_billing")
        size = connection.execute("SELECT pg_size_pretty(pg_total_relation_size('notifications'))").fetchone()
    print(f"{messages:,} messages, {size[0] if size else '?'}, filled in {time.perf_counter() - began:.0f} s")


def pages(jobs: dict[UUID, list[UUID]], chance: random.Random) -> Iterator[Page]:
    """Every page of the admin app that reads messages."""

    def job(service: UUID) -> UUID:
        # the largest are the first
        return chance.choice(jobs[service][:3])

    for name, path in (
        ("dashboard: statistics of 7 days", "statistics?limit_days=7"),
        ("dashboard: statistics of today", "statistics?today_only=True"),
        ("dashboard: jobs", "job?limit_days=7&page=1&statuses=pending,in progress,finished,"),
        ("dashboard: scheduled jobs", "job/scheduled-job-stats"),
        ("dashboard: received texts", "inbound-sms/summary"),
        ("dashboard: returned letters", "returned-letter-statistics"),
        ("dashboard: requests to unsubscribe", "unsubscribe-request-statistics"),
        ("dashboard: yearly usage", "billing/yearly-usage-summary?year=2026"),
        ("usage by month", "billing/monthly-usage?year=2026"),
        ("activity by month", "notifications/monthly?year=2026"),
        ("templates by month", "notifications/templates_usage/monthly?year=2026"),
        ("template statistics of 7 days", "template-statistics?limit_days=7"),
        ("template statistics of today", "template-statistics?limit_days=0"),
        ("messages sent in 7 days", "notifications/count?limit_days=7"),
        ("uploads", "upload?limit_days=7&page=1"),
        ("jobs", "job?page=1"),
        ("page of a CSV export", "notifications/csv?template_type=sms&limit_days=7&page_size=2500"),
    ):
        yield Page(name, lambda service, path=path: ("GET", f"/service/{service}/{path}"))  # type: ignore[misc]
    yield Page("job page: job", lambda service: ("GET", f"/service/{service}/job/{job(service)}"))
    yield Page("job page: count", lambda service: ("GET", f"/service/{service}/job/{job(service)}/notification_count"))
    for status, page in product(("", "sending", "delivered", "failed"), (1, 20)):
        query = f"page={page}" + "".join(f"&status={one}" for one in _STATUSES_OF[status])
        yield Page(
            f"job page: messages {status or 'all'}, page {page}",
            lambda service, query=query: (  # type: ignore[misc]
                "GET",
                f"/service/{service}/job/{job(service)}/notifications?{query}",
            ),
        )
    for types, status, flags, page in product(
        ("", "sms", "email", "letter"),
        ("", "sending", "delivered", "failed"),
        ("", "include_jobs=false", "include_one_off=false", "include_from_test_key=true", "limit_days=7"),
        (1, 20),
    ):
        query = f"page={page}&{flags}&" + "".join(f"&status={one}" for one in _STATUSES_OF[status])
        query += f"&template_type={types}" if types else ""
        yield Page(
            f"list: {types or 'all types'}, {status or 'all statuses'}, {flags}, page {page}",
            lambda service, query=query: ("GET", f"/service/{service}/notifications?{query}"),  # type: ignore[misc]
            FILTERS_CALLS,
        )
    for term, type_ in product(TERMS, ("sms", "email", None)):
        body = {"to": term} | ({} if type_ is None else {"template_type": [type_]})
        yield Page(
            f"search: {term!r} of {type_ or 'all'}",
            lambda service, body=body: ("POST", f"/service/{service}/notifications", body),  # type: ignore[misc]
            FILTERS_CALLS,
        )


_STATUSES_OF: Final = {
    "": (),
    "sending": ("sending", "pending", "created", "pending-virus-check"),
    "delivered": ("delivered", "sent", "returned-letter"),
    "failed": ("failed", "temporary-failure", "permanent-failure", "technical-failure", "validation-failed"),
}


def read_jobs(url: str) -> dict[UUID, list[UUID]]:
    """The jobs of each service, the largest service and its largest jobs first."""
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "SELECT service_id, array_agg(id ORDER BY notification_count DESC) FROM jobs"
            " GROUP BY 1 ORDER BY sum(notification_count) DESC"
        ).fetchall()
    return dict(rows)


def measure(url: str, caller: Caller) -> None:
    """Print how long requests take: each page of the largest service and of all, lists and searches together."""
    jobs = read_jobs(url)
    services, chance = list(jobs), random.Random(1)
    all_lists: dict[str, list[tuple[float, str]]] = {}
    print(f"load of the machine: {os.getloadavg()}; milliseconds of {CALLS} requests")
    print(f"{'95 %':>10}{'half':>10}{'95 %':>10}{'half':>10}    of the largest service, and of all")
    for page in pages(jobs, random.Random(2)):
        caller.call(*page.make(services[0]))  # prepares statements
        largest = [caller.call(*page.make(services[0]))[1] for _ in range(page.calls)]
        others = [caller.call(*page.make(chance.choice(services)))[1] for _ in range(page.calls)]
        kind = page.name.split(":")[0]
        if page.calls == FILTERS_CALLS:
            all_lists.setdefault(kind, []).append((median(largest) * 1000, page.name))
            all_lists.setdefault(f"{kind} of all services", []).extend((each * 1000, page.name) for each in others)
            all_lists.setdefault(f"{kind} of the largest", []).extend((each * 1000, page.name) for each in largest)
            continue
        figures = (_p95(largest), median(largest) * 1000, _p95(others), median(others) * 1000)
        print("".join(f"{each:10.1f}" for each in figures), f"   {page.name}", flush=True)
    for kind, times in all_lists.items():
        slow = sorted(times, reverse=True)
        print(f"{kind}: {len(times)}, 95th percentile {_p95([each / 1000 for each, _ in times]):.1f} ms, the slowest:")
        for milliseconds, name in slow[:6]:
            print(f"{milliseconds:10.1f} ms {'OVER ' if milliseconds > LIMIT_MILLISECONDS else ''}  {name}")


def _p95(seconds: list[float]) -> float:
    return quantiles(seconds, n=20)[-1] * 1000


def main() -> None:
    """Fill a database, time requests."""
    parser = argparse.ArgumentParser(prog="python -m bench.pages", description=__doc__)
    parser.add_argument("--messages", type=int, default=5_000_000)
    parser.add_argument("--services", type=int, default=200)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="notify-pages-") as name:
        folder = options.folder or Path(name)
        is_filled = (folder / "filled").exists()
        server = start_postgres(folder)
        migrate.upgrade(server.url)
        chosen = settings.load(
            notify_environment="test",
            notify_log_level="WARNING",
            sqlalchemy_database_uri=server.url,
            redis_url="redis://127.0.0.1:9",
        )
        parts = build_parts(chosen)
        app = create_app(chosen)
        try:
            if not is_filled:
                fill(server.url, parts, options.messages, options.services)
                (folder / "filled").touch()
            measure(server.url, Caller(app, chosen.internal_client_api_keys["notify-admin"][0]))
        finally:
            app.extensions[EXTENSION].close()
            parts.close()
            server.stop()
            if options.folder is None:
                remove_database(folder)


if __name__ == "__main__":
    main()
