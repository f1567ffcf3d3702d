"""Lists and dashboards, read in this process as the API does: medians in milliseconds, nothing kept in a cache."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

from bench.scale.databases import open_parts
from notify.infra.cache import Cache
from notify.infra.parts import Parts
from notify.messages.listing import ListFilter, page_of_messages
from notify.messages.queries import MessageFilter, MessageReader
from notify.messages.search import search_messages
from notify.messages.statuses import filter_statuses
from notify.reporting.counts import count_for_service
from notify.reporting.template_statistics import count_by_template

REPEATED: Final = 15


def _time(read: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATED):
        began = time.perf_counter()
        read()
        times.append(time.perf_counter() - began)
    return 1000 * median(times)


def _cpu(pid: int) -> float:
    """Milliseconds of CPU that a process had (Linux)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e6


def _lists(parts: Parts, service: UUID) -> Mapping[str, Callable[[], object]]:
    reader = MessageReader(parts.database, parts.encryptor)

    def public(
        statuses: tuple[str, ...], types: tuple[str, ...] = (), reference: str | None = None
    ) -> Callable[[], object]:
        wanted = MessageFilter(service, "normal", filter_statuses(statuses), types, reference, True)
        return lambda: reader.page(wanted, older_than=None, limit=250)

    def admin(number: int, **chosen: Any) -> Callable[[], object]:
        wanted = ListFilter(service, **chosen)
        return _in_session(
            parts, lambda session: page_of_messages(session, parts.encryptor, wanted, number=number).messages
        )

    def search(term: str) -> Callable[[], object]:
        return _in_session(
            parts, lambda session: search_messages(session, parts.encryptor, service, term, types=("sms",)).messages
        )

    return {
        "list, API: all": public(()),
        "list, API: failed texts": public(("failed",), ("sms",)),
        "list, API: none found": public(("created",)),
        "list, API: by reference": public((), (), "case-5"),
        "list, admin app: page 1": admin(1),
        "list, admin app: page 20": admin(20),
        "list, admin app: failed emails": admin(1, types=("email",), statuses=("failed",)),
        "search: a number": search("447900000123"),
        "search: part of one": search("07900000"),
    }


def _in_session(parts: Parts, read: Callable[[Session], object]) -> Callable[[], object]:
    def run() -> object:
        with parts.database.reading() as session:
            return read(session)

    return run


def _dashboards(parts: Parts, service: UUID, now: datetime) -> Mapping[str, Callable[[], object]]:
    nothing = Cache("")
    return {
        "dashboard: statistics of 7 days": _in_session(
            parts, lambda session: count_for_service(session, nothing, service, days=7, now=now)
        ),
        "dashboard: statistics of today": _in_session(
            parts, lambda session: count_for_service(session, nothing, service, days=0, now=now)
        ),
        "dashboard: by template": _in_session(
            parts, lambda session: count_by_template(session, nothing, service, 7, now=now)
        ),
    }


def wear(url: str, since: datetime) -> None:
    """Change the messages since a moment twice, in their order, as delivery and receipts do: then those of a service
    lie among others, and no page of them is known to be visible to all.
    """
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET enable_hashjoin = off")
        connection.execute("SET enable_mergejoin = off")
        for status in ("sending", "delivered"):
            connection.execute(
                "UPDATE notifications n SET notification_status = %s "
                "FROM (SELECT id FROM notifications WHERE created_at >= %s ORDER BY created_at OFFSET 0) AS o "
                "WHERE n.id = o.id",
                (status, since),
            )


def measure(url: str, service: UUID, now: datetime, *, only: str = "") -> dict[str, float]:
    """Milliseconds of each list and dashboard of a service, and the CPU that the server had for it; `only` those whose
    names begin so.
    """
    parts = open_parts(url)
    try:
        reads = {**_lists(parts, service), **_dashboards(parts, service, now)}
        figures: dict[str, float] = {}
        for name, read in reads.items():
            if name.startswith(only):
                read()
                with parts.database.connection() as connection:
                    (pid,) = connection.execute("SELECT pg_backend_pid()").fetchone() or (0,)
                before = _cpu(pid)
                figures[f"{name}, ms"] = _time(read)
                figures[f"{name}, CPU of the server, ms"] = (_cpu(pid) - before) / REPEATED
        return figures
    finally:
        parts.close()
