"""How fast a report of many messages is written: `python -m bench.report [--rows N]`.

Prints the seconds, those of the processor (the worker's alone, which a busy machine does not change), the size of the
file, and how much the process grew meanwhile.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Final

import psutil
import psycopg

from bench.growth import SLOW_TO_FILL
from bench.stack import remove_database
from notify import migrate, settings
from notify.accounts.actions import create_user
from notify.cli.bulk_data import make_services
from notify.infra.container import Container
from notify.infra.parts import Parts, build_parts
from notify.infra.postgres import start_postgres
from notify.infra.times import utc_now
from notify.jobs.models import ReportRequest
from notify.jobs.reports import ReportWriter
from notify.reporting import bulk_data

MEGABYTE: Final = 2**20


def _fill(url: str, parts: Parts, rows: int) -> ReportRequest:
    with psycopg.connect(url, autocommit=True) as connection:
        for index in SLOW_TO_FILL:
            connection.execute(f"DROP INDEX {index}".encode())
        with parts.database.transaction() as session:
            user = create_user(
                session, name="Ada", email_address="ada@example.gov.uk", password="p", auth_type="email_auth"
            )
            sources = make_services(session, user, 1)[:1]
            user_id = user.id
        bulk_data.fill_live(parts, sources, rows, utc_now(), step=lambda _number: None)
        connection.execute("VACUUM (ANALYZE)")
    with parts.database.transaction() as session:
        request = ReportRequest(
            service_id=sources[0].service_id,
            user_id=user_id,
            report_type="notifications",
            parameter={"notification_type": "sms", "notification_status": "all"},
        )
        session.add(request)
        session.flush()
        session.expunge(request)
    return request


def main() -> None:
    """Fill a database, write a report."""
    parser = argparse.ArgumentParser(prog="python -m bench.report", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="notify-report-") as name:
        folder = Path(name)
        server = start_postgres(folder)
        migrate.upgrade(server.url)
        parts = build_parts(
            settings.load(
                notify_environment="test",
                sqlalchemy_database_uri=server.url,
                redis_url="redis://127.0.0.1:9",
                notify_data_dir=folder,
            )
        )
        container, process = Container(parts), psutil.Process()
        try:
            request = _fill(server.url, parts, options.rows)
            print(f"{options.rows:,} messages; load of the machine: {os.getloadavg()[0]:.1f}", flush=True)
            before, began, worked = process.memory_info().rss, time.perf_counter(), time.process_time()
            container.get(ReportWriter).process(request.service_id, request.id)
            grown = (process.memory_info().rss - before) / MEGABYTE
            bucket = parts.objects.bucket(parts.settings.s3_bucket_report_requests_download)
            size = bucket.info(f"notifications_report/{request.id}.csv").size / MEGABYTE
            print(
                f"{time.perf_counter() - began:.1f} s, {time.process_time() - worked:.1f} s of a processor, "
                f"{size:.0f} MiB, grown by {grown:.0f} MiB"
            )
        finally:
            container.close()
            parts.close()
            server.stop()
            remove_database(folder)


if __name__ == "__main__":
    main()
