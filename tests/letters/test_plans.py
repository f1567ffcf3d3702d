"""The queries of printing, returned letters and deletion use indexes: none reads all messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.letters import returned
from notify.letters.alerts import LetterAlerts
from notify.letters.deletion import LetterDeletion
from notify.letters.files import put
from notify.letters.lookup import find_by_reference
from notify.letters.lost import LostTestLetters
from notify.letters.printing.responses import PrinterResponses
from notify.letters.printing.run import PrintRun
from notify.letters.printing.zips import ZipCollation
from notify.letters.returned import ReturnedLetters
from notify.letters.returned_report import read_report
from tests.conftest import fresh_parts
from tests.letters.rows import Letters
from tests.messages.test_plans import ROWS, SERVICE, scans

_FILL = """
INSERT INTO {table} (id, {to} service_id, template_id, template_version, key_type, notification_type, created_at,
                     sent_at, notification_status, reference, billable_units, postage)
SELECT gen_random_uuid(), {value} lpad(to_hex(n %% 50), 32, '0')::uuid, gen_random_uuid(), 1, 'normal', 'letter',
       now() - n * interval '10 minutes', now(),
       CASE n %% 100 WHEN 0 THEN 'created' WHEN 1 THEN 'sending' WHEN 2 THEN 'technical-failure' ELSE 'delivered' END,
       lpad(n::text, 16, '0'), 1, 'second'
FROM generate_series(1, %s) AS n
"""


@pytest.fixture(scope="module")
def full(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Parts whose database holds many letters, live and old."""
    with fresh_parts(postgres_url, valkey_url, tmp_path_factory.mktemp("letters")) as parts:
        Letters(parts)
        with parts.database.connection() as connection:
            connection.execute(_FILL.format(table="notifications", to='"to",', value="'x',").encode(), (ROWS,))
            connection.execute(_FILL.format(table="notification_history", to="", value="").encode(), (ROWS,))
        with parts.database.autocommit() as connection:
            connection.execute("ANALYZE notifications, notification_history")
        container = Container(parts)
        put(container.get(LetterDeletion)._files.live, f"2020-01-01/NOTIFY.{5:016}.D.2.C.20200101000000.PDF", b"x")
        bucket = container.get(PrinterResponses)._responses
        put(bucket, "NOTIFY-20200115093000-RSP.TXT", f"{7:016}|Sent|1|Sorted".encode())
        yield parts


def _report(container: Container) -> None:
    with container.parts.database.session() as session:
        read_report(session, SERVICE, utc_now().date())
        returned.count(session, SERVICE, utc_now())
        returned.summarise(session, SERVICE)
        find_by_reference(session, [f"{9:016}"])


@pytest.mark.parametrize(
    "work",
    [
        lambda container: container.get(PrintRun).publish(utc_now() - timedelta(days=400)),
        lambda container: container.get(PrintRun).announce(utc_now()),
        lambda container: list(container.get(ZipCollation).zip_files(utc_now() - timedelta(days=400))),
        lambda container: container.get(ReturnedLetters).record(["B" * 16, "A" * 16]),
        lambda container: container.get(LetterDeletion).sweep(utc_now()),
        lambda container: container.get(LostTestLetters).replay(),
        lambda container: container.get(LetterDeletion).delete_before_rows([SERVICE]),
        lambda container: container.get(PrinterResponses).update_statuses("NOTIFY-20200115093000-RSP.TXT"),
        lambda container: container.get(LetterAlerts)._count(_alerts()[0], utc_now() - timedelta(days=1)),
        lambda container: container.get(LetterAlerts)._count(_alerts()[1], utc_now() - timedelta(days=3)),
        lambda container: container.get(LetterAlerts)._count(_alerts()[2], utc_now() - timedelta(days=2)),
        _report,
    ],
    ids=[
        "run",
        "volumes",
        "zips",
        "returned",
        "sweep",
        "lost",
        "rows",
        "responses",
        "created",
        "failed",
        "sending",
        "report",
    ],
)
def test_no_table_of_messages_is_read_as_a_whole(full: Parts, work: Callable[[Container], object]) -> None:
    container = Container(full)
    tables = ("notifications", "notification_history")
    before = [scans(full, table) for table in tables]
    work(container)
    assert [scans(full, table) for table in tables] == before


def _alerts() -> tuple[str, str, str]:
    from notify.letters import alerts

    return alerts._CREATED, alerts._FAILED, alerts._SENDING
