"""How lists of messages do in a large table: `python -m bench.growth [--rows N]`.

One service has all the messages. Most are delivered texts; there are a few of each type, status, key type
and origin.
Prints the median of five readings of each list of `GET /v2/notifications`, of each list of the admin app and of some
searches, in milliseconds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from typing import Final
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

from bench.stack import remove_database
from notify import migrate, settings
from notify.infra.database import Database
from notify.infra.errors import PageNotFoundError
from notify.infra.ids import first_id
from notify.infra.parts import build_parts
from notify.infra.postgres import start_postgres
from notify.infra.secrets import Encryptor
from notify.messages.listing import ListFilter, page_of_messages
from notify.messages.models import TO
from notify.messages.queries import MessageFilter, MessageReader
from notify.messages.search import search_messages
from notify.messages.statuses import filter_statuses

SERVICE: Final = UUID("01900000-0000-7000-8000-000000000001")
TEMPLATE: Final = UUID("01900000-0000-7000-8000-000000000002")
JOB: Final = UUID("01900000-0000-7000-8000-000000000003")
BEGAN: Final = datetime(2026, 1, 1, tzinfo=UTC)

_COPY: Final = """
COPY notifications (id, "to", service_id, template_id, template_version, key_type, notification_type, created_at,
                    notification_status, client_reference, normalised_to, job_id, job_row_number) FROM STDIN
"""
SLOW_TO_FILL: Final = {
    "ix_notifications_normalised_to_trgm": "normalised_to",
    "ix_notifications_client_reference_trgm": "client_reference",
}
"""Indexes that are made once the table is full: filling them row by row would take most of the time."""

_TERMS: Final = ("07900", "0", "12", "447900000123", "7900999999", "zz", "xyz", "rare", "common")
"""What is searched for: parts that all, few and no messages have."""


def _rows(number: int, encryptor: Encryptor) -> Iterator[str]:
    """Lines for `COPY`. The rare ones are the oldest, where a search from the newest on finds them last."""
    for position in range(number):
        moment = BEGAN + timedelta(milliseconds=position * 10)
        id_ = UUID(int=first_id(moment).int | position & 0xFFFF)
        is_old = position < 1000
        type_ = "email" if is_old and position % 10 == 0 else "letter" if is_old and position % 10 == 1 else "sms"
        status = "permanent-failure" if is_old and position % 7 == 0 else "delivered"
        key_type = "team" if is_old and position % 11 == 0 else "normal"
        reference = "rare" if is_old and position % 13 == 0 else "common" if position % 2 else "\\N"
        in_job = position % 5 == 0
        yield (
            "\t".join(
                (
                    str(id_),
                    "\\\\x" + encryptor.encrypt("07900900123", TO, id_).hex(),
                    str(SERVICE),
                    str(TEMPLATE),
                    "1",
                    key_type,
                    type_,
                    moment.isoformat(),
                    status,
                    reference,
                    f"4479{position % 100_000_000:08}",
                    str(JOB) if in_job else "\\N",
                    str(position) if in_job else "\\N",
                )
            )
            + "\n"
        )


def fill(connection: psycopg.Connection, number: int, encryptor: Encryptor) -> None:
    """Fill the table with so many messages."""
    for index in SLOW_TO_FILL:
        connection.execute(f"DROP INDEX IF EXISTS {index}".encode())
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for line in _rows(number, encryptor):
            copy.write(line)
    connection.execute("SET maintenance_work_mem = '256MB'")
    for index, column in SLOW_TO_FILL.items():
        connection.execute(f"CREATE INDEX {index} ON notifications USING gin ({column} gin_trgm_ops)".encode())
    connection.execute("VACUUM (ANALYZE) notifications")


def _filters() -> Iterator[tuple[str, MessageFilter]]:
    """Every filter alone and together."""
    for key_type, status, type_, reference, jobs in product(
        ("normal", "team", "test"),
        ((), ("delivered",), ("failed",), ("created",), ("failed", "created")),
        ((), ("sms",), ("email",), ("letter",)),
        (None, "common", "rare", "absent"),
        (False, True),
    ):
        name = f"{key_type} status={'+'.join(status)} type={'+'.join(type_)} reference={reference or ''} jobs={jobs}"
        wanted = MessageFilter(SERVICE, key_type, filter_statuses(status), type_, reference, jobs)
        yield name, wanted


def _median(reader: MessageReader, wanted: MessageFilter, older_than: UUID | None) -> tuple[float, int]:
    times, found = [], 0
    for _ in range(5):
        began = time.perf_counter()
        found = len(reader.page(wanted, older_than=older_than, limit=250))
        times.append(time.perf_counter() - began)
    return median(times) * 1000, found


def _admin_reads() -> Iterator[tuple[str, Callable[[Session, Encryptor], int]]]:
    """Every list of the admin app, and searches."""
    for statuses, types, jobs, one_off, test, number in product(
        ((), ("failed",), ("created",), ("delivered",)),
        ((), ("sms",), ("email",), ("letter",)),
        (True, False),
        (True, False),
        (False, True),
        (1, 20),
    ):
        wanted = ListFilter(SERVICE, types, statuses, None, jobs, one_off, test)
        text = f"admin status={statuses} type={types} jobs={jobs} one_off={one_off} test={test} page={number}"
        yield text, partial(_read_page, wanted, number)
    for term in _TERMS:
        for kind in ("sms", "email"):
            yield f"search {term} {kind}", partial(_search, term, kind)


def _read_page(wanted: ListFilter, number: int, session: Session, encryptor: Encryptor) -> int:
    try:
        return len(page_of_messages(session, encryptor, wanted, number=number).messages)
    except PageNotFoundError:
        return 0


def _search(term: str, kind: str, session: Session, encryptor: Encryptor) -> int:
    return len(search_messages(session, encryptor, SERVICE, term, types=(kind,)).messages)


def _median_of_admin(database: Database, encryptor: Encryptor, read: Callable[..., int]) -> tuple[float, int]:
    times, found = [], 0
    for _ in range(5):
        began = time.perf_counter()
        with database.reading() as session:
            found = read(session, encryptor)
        times.append(time.perf_counter() - began)
    return median(times) * 1000, found


def main() -> None:
    """Fill a table, read every list."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="notify-growth-") as name:
        folder = Path(name)
        server = start_postgres(folder)
        migrate.upgrade(server.url)
        parts = build_parts(
            settings.load(
                notify_environment="test", sqlalchemy_database_uri=server.url, redis_url="redis://127.0.0.1:9"
            )
        )
        try:
            _measure(server.url, options.rows, parts.database, parts.encryptor)
        finally:
            parts.close()
            server.stop()
            remove_database(folder)


def _measure(url: str, rows: int, database: Database, encryptor: Encryptor) -> None:
    reader = MessageReader(database, encryptor)
    with psycopg.connect(url, autocommit=True) as connection:
        began = time.perf_counter()
        fill(connection, rows, encryptor)
        size = connection.execute("SELECT pg_size_pretty(pg_total_relation_size('notifications'))").fetchone()
        print(f"{rows} rows, {size[0] if size else '?'}, filled in {time.perf_counter() - began:.0f} s")
        middle = connection.execute(
            "SELECT id FROM notifications ORDER BY id OFFSET %s LIMIT 1", (rows // 2,)
        ).fetchone()
    measured = []
    for text, wanted in _filters():
        measured.append((*_median(reader, wanted, None), text))
        measured.append((*_median(reader, wanted, middle[0] if middle else None), text + " older_than"))
    measured += [(*_median_of_admin(database, encryptor, read), text) for text, read in _admin_reads()]
    for milliseconds, found, text in sorted(measured, reverse=True)[:12]:
        print(f"{milliseconds:8.1f} ms  {found:4} messages  {text}")
    print(f"{len(measured)} lists, the slowest {max(measured)[0]:.1f} ms")


if __name__ == "__main__":
    main()
