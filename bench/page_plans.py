"""How the database answers the admin app's pages: `python -m bench.page_plans --folder FOLDER`.

The folder is one that `python -m bench.pages --folder` has filled. Each page is asked for once, of the largest service
and with nothing kept. For each the statements that touch most are printed: pages of 8 kB that each touched, found in
memory or read, its time in the database, and how tables were read. Unlike times, pages say the same on a busy machine.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import psycopg

from bench.pages import Page, pages, read_jobs
from bench.people import Caller
from notify import settings
from notify.app import EXTENSION, create_app
from notify.infra.postgres import SUPERUSER, start_postgres

_SETTINGS: Final = {
    "session_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "0",
    "auto_explain.log_analyze": "on",
    "auto_explain.log_buffers": "on",
    "auto_explain.log_format": "json",
    "auto_explain.log_nested_statements": "off",
}
_PLAN: Final = re.compile(r"plan:\n((?:\t.*\n)+)")
_MOST_SHOWN: Final = 3


class Statement(NamedTuple):
    """What a statement touched."""

    buffers: int
    milliseconds: float
    scans: str


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _statements(log: str) -> Iterator[Statement]:
    for text in _PLAN.findall(log):
        plan = json.loads(text)["Plan"]
        scans = {
            f"{node['Node Type']} {node.get('Index Name') or node.get('Relation Name', '')}"
            for node in _nodes(plan)
            if "Scan" in node["Node Type"] and ("Index Name" in node or "Relation Name" in node)
        }
        buffers = plan.get("Shared Hit Blocks", 0) + plan.get("Shared Read Blocks", 0)
        yield Statement(buffers, plan["Actual Total Time"], ", ".join(sorted(scans)))


def _show(page: Page, found: list[Statement]) -> None:
    buffers, milliseconds = sum(each.buffers for each in found), sum(each.milliseconds for each in found)
    print(f"{buffers:8,} pages {milliseconds:8.1f} ms {len(found):3} statements   {page.name}", flush=True)
    for each in sorted(found, reverse=True)[:_MOST_SHOWN]:
        print(f"{each.buffers:16,} pages {each.milliseconds:8.1f} ms   {each.scans}")


def _explain(url: str) -> None:
    with psycopg.connect(url, autocommit=True, user=SUPERUSER) as connection:
        for name, value in _SETTINGS.items():
            if name == "session_preload_libraries":
                connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
        connection.execute("SELECT pg_reload_conf()")
    with psycopg.connect(url, autocommit=True, user=SUPERUSER) as connection:
        connection.execute("LOAD 'auto_explain'")
        for name, value in _SETTINGS.items():
            connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
        connection.execute("SELECT pg_reload_conf()")


def main() -> None:
    """Ask for each page, print its plans."""
    parser = argparse.ArgumentParser(prog="python -m bench.page_plans", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    log = options.folder / "logs" / "postgres.log"
    server = start_postgres(options.folder)
    chosen = settings.load(
        notify_environment="test",
        notify_log_level="WARNING",
        sqlalchemy_database_uri=server.url,
        redis_url="redis://127.0.0.1:9",
    )
    try:
        _explain(server.url)
        jobs = read_jobs(server.url)
        largest: UUID = next(iter(jobs))
        app = create_app(chosen)
        caller = Caller(app, chosen.internal_client_api_keys["notify-admin"][0])
        for page in pages(jobs, random.Random(2)):
            caller.call(*page.make(largest))
            before = log.stat().st_size
            caller.call(*page.make(largest))
            with log.open("rb") as file:
                file.seek(before)
                _show(page, list(_statements(file.read().decode())))
        app.extensions[EXTENSION].close()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
