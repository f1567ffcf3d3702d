"""Lists go by the index that is made for them, in a table that has just been vacuumed as well: then the index that
statistics are counted from looks cheap to the planner, and would be read from end to end for each kind of messages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from notify.infra.parts import Parts
from notify.infra.secrets import UndecipherableError
from notify.infra.times import utc_now
from notify.messages.failure_rates import find_suspects
from notify.messages.listing import ListFilter, counted_page_of_ids, page_of_messages
from notify.messages.queries import MessageFilter, MessageReader
from notify.messages.retention import Retention
from tests.conftest import fresh_parts
from tests.services.factory import a_service

ROWS = 30_000
SERVICE = UUID(int=7)
_FILL = """
INSERT INTO notifications (id, "to", service_id, template_id, template_version, key_type, notification_type, created_at,
                           notification_status)
SELECT gen_random_uuid(), repeat('x', 1500)::bytea, lpad(to_hex(7 + n %% 10), 32, '0')::uuid, gen_random_uuid(), 1,
       CASE WHEN n %% 50 = 0 THEN 'team' ELSE 'normal' END,
       (CASE WHEN n %% 3 = 0 THEN 'email' ELSE 'sms' END)::notification_type, now() - n * interval '1 second',
       CASE WHEN n %% 20 = 0 THEN 'permanent-failure' ELSE 'delivered' END
FROM generate_series(1, %s) AS n
"""
_READ = """
SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes WHERE indexrelname = 'ix_notifications_service_created_at'
"""


@pytest.fixture(scope="module")
def full(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    """Parts whose database holds many messages of ten services, few on a page. No test removes any."""
    with fresh_parts(postgres_url, valkey_url, tmp_path_factory.mktemp("full")) as parts:
        with parts.database.transaction() as session:
            a_service(session, service_id=SERVICE)
        with parts.database.connection() as connection:
            connection.execute(_FILL, (ROWS,))
        with parts.database.autocommit() as connection:
            connection.execute("ANALYZE notifications")
        make_visible(parts)
        yield parts


def make_visible(parts: Parts) -> None:
    """Vacuum until all rows are known to be visible: with `synchronous_commit = off` that takes a moment."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends:
        with parts.database.autocommit() as connection:
            connection.execute("VACUUM notifications")
            query = "SELECT relallvisible, relpages FROM pg_class WHERE oid = 'notifications'::regclass"
            visible, pages = connection.execute(query).fetchone() or (0, 0)
        if visible >= 0.95 * pages:
            return
        time.sleep(0.2)
    pytest.fail("VACUUM leaves rows that are not visible to all")


def entries_read(parts: Parts) -> int:
    """How many entries of the index that statistics are counted from were read so far."""
    parts.database.close()  # a connection tells what it did when it ends
    with parts.database.connection() as connection:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        row = connection.execute(_READ).fetchone()
    assert row is not None
    return int(row[0])


def page(**filters: Any) -> Callable[[Parts], None]:
    def read(parts: Parts) -> None:
        wanted = MessageFilter(SERVICE, "normal", include_jobs=True)._replace(**filters)
        with suppress(UndecipherableError):
            MessageReader(parts.database, parts.encryptor).page(wanted, older_than=None, limit=250)

    return read


def admin_page(**filters: Any) -> Callable[[Parts], None]:
    def read(parts: Parts) -> None:
        with suppress(UndecipherableError), parts.database.reading() as session:
            page_of_messages(session, parts.encryptor, ListFilter(SERVICE, **filters))

    return read


def counted_page(parts: Parts) -> None:
    with parts.database.reading() as session:
        counted_page_of_ids(session, ListFilter(SERVICE, statuses=("failed",)), number=1, size=50)


def retention(parts: Parts) -> None:
    work = Retention(parts.database, lambda ids: None)
    assert not work.move(SERVICE, "sms", utc_now() - timedelta(days=7))
    work.due_services("letter", utc_now())


def suspects(parts: Parts) -> None:
    with parts.database.reading() as session:
        find_suspects(session, utc_now())


@pytest.mark.parametrize(
    "read",
    [
        page(),
        page(types=("email",), statuses={"permanent-failure"}),
        page(statuses={"created"}),
        admin_page(),
        admin_page(types=("sms",), statuses=("failed",)),
        counted_page,
        retention,
        suspects,
    ],
)
def test_the_index_of_statistics_is_not_read(full: Parts, read: Callable[[Parts], None]) -> None:
    before = entries_read(full)
    read(full)
    assert entries_read(full) == before
