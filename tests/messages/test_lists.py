"""Lists of messages: each filter, alone and together, finds what it should, and reads few rows for it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.messages.models import TO
from notify.messages.queries import MessageFilter, MessageReader
from notify.messages.statuses import filter_statuses
from tests.conftest import fresh_parts

ROWS = 30_000
RARE = 600
LIMIT = 20
SERVICE = UUID(int=7)
# the rare ones are the oldest: a search from the newest on would read all the others before them
_FILL = """
INSERT INTO notifications (id, "to", service_id, template_id, template_version, key_type, notification_type, created_at,
                           notification_status, client_reference, job_id, job_row_number)
SELECT r.id, r."to", %(service)s, gen_random_uuid(), 1,
       CASE WHEN n <= %(rare)s AND n %% 2 = 0 THEN 'team' ELSE 'normal' END,
       (CASE WHEN n <= %(rare)s THEN (ARRAY['sms', 'email', 'letter'])[1 + n %% 3] ELSE 'sms' END)::notification_type,
       '2026-01-01'::timestamptz + n * interval '1 second',
       CASE WHEN n <= %(rare)s AND n %% 5 = 0 THEN 'permanent-failure' ELSE 'delivered' END,
       CASE WHEN n <= %(rare)s AND n %% 7 = 0 THEN 'rare' WHEN n %% 2 = 0 THEN 'common' END,
       CASE WHEN n %% 4 = 0 THEN %(job)s::uuid END, CASE WHEN n %% 4 = 0 THEN n END
FROM unnest(%(ids)s::uuid[], %(to)s::bytea[]) WITH ORDINALITY AS r(id, "to", n)
"""
_EXPECTED = """
SELECT id FROM notifications WHERE service_id = %(service)s AND key_type = %(key_type)s
    AND notification_status = ANY(%(statuses)s) AND notification_type::text = ANY(%(types)s)
    AND (%(reference)s::text IS NULL OR client_reference = %(reference)s) AND (%(jobs)s OR job_id IS NULL)
    AND (created_at, id) < (%(older)s, %(older_id)s) ORDER BY created_at DESC, id DESC LIMIT %(limit)s
"""
_READ = """
SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'notifications'),
       (SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'notifications')
"""


@pytest.fixture(scope="module")
def full(module_parts: Parts) -> Parts:
    """Parts whose database holds many messages of one service."""
    ids = [new_id() for _ in range(ROWS)]
    with module_parts.database.connection() as connection:
        connection.execute(
            _FILL,
            {
                "ids": ids,
                "to": [module_parts.encryptor.encrypt("07900900123", TO, id_) for id_ in ids],
                "service": SERVICE,
                "rare": RARE,
                "job": UUID(int=8),
            },
        )
    with module_parts.database.autocommit() as connection:
        connection.execute("VACUUM (ANALYZE) notifications")
    return module_parts


@pytest.fixture(scope="module")
def module_parts(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Parts]:
    with fresh_parts(postgres_url, valkey_url, tmp_path_factory.mktemp("lists")) as parts:
        yield parts


def rows_read(parts: Parts) -> tuple[int, int]:
    """Index entries that were read of the table so far, and how often it was read from end to end."""
    parts.database.close()  # a connection reports its statistics when it ends
    with parts.database.connection() as connection:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        row = connection.execute(_READ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def expected(parts: Parts, wanted: MessageFilter, older: tuple[Any, UUID]) -> list[UUID]:
    values = {
        "service": wanted.service_id,
        "key_type": wanted.key_type,
        "statuses": list(wanted.statuses or ("delivered", "permanent-failure")),
        "types": list(wanted.types or ("sms", "email", "letter")),
        "reference": wanted.client_reference,
        "jobs": wanted.include_jobs,
        "older": older[0],
        "older_id": older[1],
        "limit": LIMIT,
    }
    with parts.database.connection() as connection:
        return [row[0] for row in connection.execute(_EXPECTED, values)]


@pytest.mark.parametrize("key_type", ["normal", "team", "test"])
@pytest.mark.parametrize("reference", [None, "common", "rare", "absent"])
def test_every_filter_finds_its_messages(full: Parts, key_type: str, reference: str | None) -> None:
    reader = MessageReader(full.database, full.encryptor)
    for statuses, types, jobs in product(
        ((), ("delivered",), ("failed",), ("created",)), ((), ("sms",), ("email", "letter")), (False, True)
    ):
        wanted = MessageFilter(SERVICE, key_type, filter_statuses(statuses), types, reference, jobs)
        newest = [message.id for message in reader.page(wanted, older_than=None, limit=LIMIT)]
        assert newest == expected(full, wanted, ("infinity", UUID(int=0)))
        if newest:
            with full.database.connection() as connection:
                query = "SELECT created_at, id FROM notifications WHERE id = %s"
                last = connection.execute(query, (newest[-1],)).fetchone()
            assert last is not None
            older = [message.id for message in reader.page(wanted, older_than=newest[-1], limit=LIMIT)]
            assert older == expected(full, wanted, (last[0], last[1]))


@pytest.mark.parametrize(
    "wanted",
    [
        MessageFilter(SERVICE, "normal"),
        MessageFilter(SERVICE, "normal", include_jobs=True),
        MessageFilter(SERVICE, "team", include_jobs=True),
        MessageFilter(SERVICE, "test"),
        MessageFilter(SERVICE, "normal", types=("email",)),
        MessageFilter(SERVICE, "normal", statuses=("permanent-failure",)),
        MessageFilter(SERVICE, "normal", statuses=("permanent-failure", "created"), types=("letter", "sms")),
        MessageFilter(SERVICE, "normal", client_reference="common"),
        MessageFilter(SERVICE, "normal", client_reference="rare"),
        MessageFilter(SERVICE, "normal", types=("email",), client_reference="common"),
        MessageFilter(SERVICE, "normal", statuses=("created",), client_reference="common", include_jobs=True),
        MessageFilter(SERVICE, "normal", client_reference="absent"),
    ],
)
def test_a_page_reads_few_rows(full: Parts, wanted: MessageFilter) -> None:
    entries, scans = rows_read(full)
    MessageReader(full.database, full.encryptor).page(wanted, older_than=None, limit=LIMIT)
    entries_after, scans_after = rows_read(full)
    assert scans_after == scans
    # at most the page itself of each type, status and origin that there are, and the messages that are shown
    assert entries_after - entries <= LIMIT * (3 * 2 * 2 + 2)


def test_a_long_reference_is_found(full: Parts) -> None:
    reference = "".join(chr(0x1F300 + number % 700) for number in range(1000))
    id_ = new_id()
    with full.database.connection() as connection:
        connection.execute(
            'INSERT INTO notifications (id, "to", service_id, template_id, template_version, key_type,'
            " notification_type, created_at, notification_status, client_reference)"
            " VALUES (%s, %s, %s, gen_random_uuid(), 1, 'normal', 'sms', now(), 'created', %s)",
            (id_, full.encryptor.encrypt("07900900123", TO, id_), UUID(int=9), reference),
        )
    reader = MessageReader(full.database, full.encryptor)
    found = reader.page(MessageFilter(UUID(int=9), "normal", client_reference=reference), older_than=None, limit=LIMIT)
    assert [message.client_reference for message in found] == [reference]
