"""The queries on the largest table use its indexes: none scans the whole table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from notify.infra.container import Container
from notify.infra.errors import PageNotFoundError
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.messages import maintenance
from notify.messages.callbacks import MessageCallbacks
from notify.messages.listing import ListFilter, counted_page_of_ids, page_of_messages, rows_of_messages
from notify.messages.models import Notification, sent_from_number
from notify.messages.queries import MessageFilter, MessageReader
from notify.messages.receipts import ReceiptProcessor
from notify.messages.scheduled import send_due
from notify.messages.search import search_messages
from notify.providers.base import Receipt
from tests.conftest import fresh_parts

ROWS = 30_000
SERVICE = UUID(int=7)
_FILL = """
INSERT INTO notifications (id, "to", service_id, template_id, template_version, key_type, notification_type, created_at,
                           notification_status, client_reference, normalised_to, reference)
SELECT gen_random_uuid(), 'x', lpad(to_hex(n %% 50), 32, '0')::uuid, gen_random_uuid(), 1, 'normal', 'sms',
       now() - n * interval '1 minute', CASE n %% 100 WHEN 0 THEN 'created' WHEN 1 THEN 'sending' ELSE 'delivered' END,
       'reference-' || n, '447700900' || n, 'provider-' || n
FROM generate_series(1, %s) AS n
"""


@pytest.fixture(scope="module")
def full(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Parts whose database holds many messages. No test removes any."""
    with fresh_parts(postgres_url, valkey_url, tmp_path_factory.mktemp("full")) as parts:
        with parts.database.connection() as connection:
            connection.execute(_FILL, (ROWS,))
        with parts.database.autocommit() as connection:
            connection.execute("ANALYZE notifications")
        yield parts


def scans(parts: Parts, table: str = "notifications") -> int:
    """How often the whole table, or a partition of it, was read so far."""
    parts.database.close()  # a connection tells what it did when it ends
    with parts.database.connection() as connection:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        query = (
            "SELECT sum(seq_scan) FROM pg_stat_user_tables WHERE relid = to_regclass(%(table)s)"
            " OR relid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = to_regclass(%(table)s))"
        )
        row = connection.execute(query, {"table": table}).fetchone()
    assert row is not None
    return int(row[0])


def read_one(parts: Parts) -> None:
    MessageReader(parts.database, parts.encryptor).get(SERVICE, UUID(int=1))


def page(older_than: UUID | None = None, **filters: Any) -> Callable[[Parts], None]:
    def read(parts: Parts) -> None:
        # no row was made with a test key: a page of those costs the most
        wanted = MessageFilter(SERVICE, "test", include_jobs=True)._replace(**filters)
        MessageReader(parts.database, parts.encryptor).page(wanted, older_than=older_than, limit=250)

    return read


def admin_page(number: int = 1, **filters: Any) -> Callable[[Parts], None]:
    def read(parts: Parts) -> None:
        with parts.database.reading() as session, suppress(PageNotFoundError):
            page_of_messages(session, parts.encryptor, ListFilter(UUID(int=99), **filters), number=number)

    return read


def counted_page(number: int = 1, **filters: Any) -> Callable[[Parts], None]:
    def read(parts: Parts) -> None:
        wanted = ListFilter(SERVICE, include_jobs=False, key_types=("normal",), **filters)
        with parts.database.reading() as session:
            assert counted_page_of_ids(session, wanted, number=number, size=1).total > number

    return read


def csv_rows(parts: Parts) -> None:
    with parts.database.reading() as session:
        rows_of_messages(session, parts.encryptor, ListFilter(UUID(int=99)), older_than=UUID(int=1))


def search_for(term: str, kind: str | None = None) -> Callable[[Parts], None]:
    def read(parts: Parts) -> None:
        with parts.database.reading() as session:
            found = search_messages(session, parts.encryptor, SERVICE, term, types=() if kind is None else (kind,))
        assert not found.messages

    return read


def last_use(parts: Parts) -> None:
    with parts.database.reading() as session:
        session.execute(
            select(func.max(Notification.created_at)).where(
                Notification.service_id == SERVICE, sent_from_number(), Notification.reply_to_text == "447700900001"
            )
        )


def sweep(parts: Parts) -> None:
    sweeper = maintenance.Sweeper(parts.database, parts.queue, retry=timedelta(minutes=5))
    sweeper.sweep(now=utc_now(), first=timedelta(minutes=5), every=timedelta(minutes=1))
    sweeper.replay(now=utc_now())


def send_scheduled(parts: Parts) -> None:
    send_due(parts.database, parts.queue, now=utc_now())


def time_out(parts: Parts) -> None:
    maintenance.time_out_sending(
        parts.database, Container(parts).get(MessageCallbacks), now=utc_now(), after=timedelta(hours=72)
    )


def take_receipts(parts: Parts) -> None:
    Container(parts).get(ReceiptProcessor).record_many(
        [Receipt("mmg", UUID(int=number), None, "delivered") for number in range(50)]
    )


@pytest.mark.parametrize(
    "query",
    [
        read_one,
        page(),
        page(older_than=UUID(int=1)),
        page(statuses={"created", "sending"}, types=("sms",)),
        page(client_reference="reference-7"),
        admin_page(),
        admin_page(number=2),
        admin_page(types=("sms",), statuses=("failed",), include_from_test_key=True),
        admin_page(include_jobs=False, include_one_off=False, since=utc_now()),
        counted_page(),
        counted_page(number=9, types=("sms",), statuses=("delivered",), since=utc_now() - timedelta(days=9)),
        csv_rows,
        search_for("07700900987654", "sms"),
        search_for("no such reference"),
        search_for("zq", "email"),
        last_use,
        sweep,
        send_scheduled,
        time_out,
        take_receipts,
    ],
)
def test_no_query_reads_the_whole_table(full: Parts, query: Callable[[Parts], None]) -> None:
    before = scans(full)
    query(full)
    assert scans(full) == before


def test_a_read_of_the_whole_table_would_be_noticed(full: Parts) -> None:
    before = scans(full)
    with full.database.connection() as connection:
        connection.execute("SELECT count(*) FROM notifications WHERE postage = 'first'").fetchall()
    assert scans(full) > before
