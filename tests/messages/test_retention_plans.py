"""Retention uses the index of lists: rows to be kept are not read, and no table is scanned."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.messages.retention import Retention

SERVICE = UUID(int=7)
_FILL = """
INSERT INTO notifications (id, "to", service_id, template_id, template_version, key_type, notification_type, created_at,
                           notification_status)
SELECT gen_random_uuid(), 'x', lpad(to_hex(n %% 50), 32, '0')::uuid, gen_random_uuid(), 1, 'normal',
       CASE n %% 4 WHEN 0 THEN 'sms' ELSE 'email' END::notification_type, now() - n * interval '1 minute', 'delivered'
FROM generate_series(1, %s) AS n
"""
_READS = """
SELECT seq_scan, (SELECT sum(idx_tup_fetch) FROM pg_stat_user_indexes WHERE relname = 'notifications') AS fetched
FROM pg_stat_user_tables WHERE relname = 'notifications'
"""


def reads(parts: Parts) -> tuple[int, int]:
    """How often the table was read from end to end, and how many of its rows were fetched by an index."""
    parts.database.close()  # a connection tells what it did when it ends
    with parts.database.connection() as connection:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        row = connection.execute(_READS).fetchone()
    assert row is not None
    whole, fetched = row
    return int(whole), int(fetched)


def test_only_rows_to_be_moved_are_read(own_parts: Parts) -> None:
    parts = own_parts
    with parts.database.connection() as connection:
        connection.execute(_FILL, (60_000,))
    with parts.database.autocommit() as connection:
        connection.execute("VACUUM ANALYZE notifications")
    before = utc_now() - timedelta(days=7)
    whole, fetched = reads(parts)
    retention = Retention(parts.database, lambda ids: None, batch=100)
    moved = sum(retention.move(UUID(int=n), "sms", before) for n in range(0, 50, 2))
    assert moved > 5_000
    assert not sum(retention.delete_test(UUID(int=n), "sms", before) for n in range(0, 50, 2))
    assert retention.due_services("sms", utc_now()) == [[], []]
    whole_after, fetched_after = reads(parts)
    assert whole_after == whole
    assert fetched_after - fetched < 1.5 * moved
