"""Partitioning the history of a running installation, and back: no row is lost, no request is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import psycopg
import pytest

from notify import migrate
from notify.infra.ids import first_id, new_id
from notify.infra.parts import Parts
from notify.messages.partitions import Partitions

REVISION = "2026_11_27_1140"
BEFORE = f"{REVISION}-1"
NOW = datetime(2026, 6, 15, tzinfo=UTC)
ROWS = 20_000
_FILL = """
INSERT INTO notification_history (id, job_id, service_id, template_id, template_version, key_type, notification_type,
                                  created_at, reference)
SELECT gen_random_uuid(), CASE n %% 3 WHEN 0 THEN gen_random_uuid() END, gen_random_uuid(), gen_random_uuid(), 1,
       'normal', 'sms', now() - n * interval '1 minute', 'reference-' || n
FROM generate_series(1, %s) AS n
"""
_ADD = """
INSERT INTO notification_history (id, service_id, template_id, template_version, key_type, notification_type, created_at)
VALUES (%s, %s, %s, 1, 'normal', 'sms', now()) ON CONFLICT (id) DO NOTHING
"""
_INDEXES = """
SELECT i.indexrelid, pg_relation_filenode(i.indexrelid) FROM pg_index i
WHERE i.indrelid = to_regclass(%s) AND i.indisvalid ORDER BY 1
"""
_FIND = "SELECT id FROM notification_history WHERE id = %s"


@pytest.fixture
def old(parts: Parts) -> Parts:
    """A database as it was before, with rows."""
    migrate.downgrade(parts.database.engine, BEFORE)
    with parts.database.connection() as connection:
        connection.execute(_FILL, (ROWS,))
    return parts


def address(parts: Parts) -> str:
    return parts.database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


def history(parts: Parts) -> set[UUID]:
    with parts.database.connection() as connection:
        return {id_ for (id_,) in connection.execute("SELECT id FROM notification_history")}


def indexes(parts: Parts, table: str) -> list[tuple[int, int]]:
    with parts.database.connection() as connection:
        return connection.execute(_INDEXES, (table,)).fetchall()


@contextmanager
def in_use(parts: Parts) -> Iterator[set[UUID]]:
    """Two who write and read the history all the time, with prepared statements. What they wrote; they raise nothing."""
    written: set[UUID] = set()
    errors: list[Exception] = []
    is_over, has_begun = threading.Event(), threading.Barrier(3)

    def work() -> None:
        try:
            with psycopg.connect(address(parts), autocommit=True, prepare_threshold=2) as connection:
                for number in range(1_000_000):
                    id_ = new_id()
                    connection.execute(_ADD, (id_, id_, id_))
                    written.add(id_)
                    assert connection.execute(_FIND, (id_,)).fetchall() == [(id_,)]
                    if number == 20:
                        has_begun.wait(30)
                    if is_over.is_set():
                        return
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    has_begun.wait(30)
    try:
        yield written
    finally:
        is_over.set()
        for thread in threads:
            thread.join(30)
    assert errors == []


def test_rows_and_indexes_stay_where_they_are_while_others_write(old: Parts) -> None:
    before, places = history(old), indexes(old, "notification_history")
    with in_use(old) as written:
        count = len(written)
        migrate.upgrade(old.database.engine, REVISION)
    assert len(written) > count  # they were still at it
    assert history(old) == before | written
    assert indexes(old, "notification_history_default") == places


def test_every_index_of_the_table_is_one_of_the_partitioned_table(old: Parts) -> None:
    migrate.upgrade(old.database.engine, REVISION)
    with old.database.connection() as connection:
        attached = connection.execute(
            "SELECT count(*), count(h.inhparent), bool_and(i.indisvalid) FROM pg_index i"
            " LEFT JOIN pg_inherits h ON h.inhrelid = i.indexrelid"
            " WHERE i.indrelid = 'notification_history_default'::regclass"
        ).fetchone()
        valid = connection.execute(
            "SELECT count(*) FROM pg_index WHERE indrelid = 'notification_history'::regclass AND indisvalid"
        ).fetchone()
    assert (attached, valid) == ((5, 5, True), (5,))


def test_partitions_of_a_used_history_are_made_while_others_write(old: Parts) -> None:
    migrate.upgrade(old.database.engine, REVISION)
    before = history(old)
    with in_use(old) as written:
        made = Partitions(old.database).create(datetime.now(UTC))
    assert len(made) in (2, 3)  # on a month's last day the next one is left out
    assert history(old) == before | written


def test_it_can_be_taken_back_with_rows_in_all_partitions(old: Parts) -> None:
    engine = old.database.engine
    migrate.upgrade(engine, REVISION)
    Partitions(old.database).create(NOW)
    new = {first_id(datetime(2026, month, 9, tzinfo=UTC)) for month in (7, 8, 9)} | {uuid4()}
    with old.database.connection() as connection:
        for id_ in new:
            connection.execute(_ADD, (id_, id_, id_))
    before = history(old)
    assert new < before
    migrate.downgrade(engine, BEFORE)
    assert history(old) == before
    with old.database.connection() as connection:
        kinds = connection.execute(
            "SELECT relname, relkind::text FROM pg_class WHERE relname LIKE 'notification\\_history%' AND relkind <> 'i'"
        ).fetchall()
    assert kinds == [("notification_history", "r")]
    migrate.upgrade(engine, REVISION)
    assert history(old) == before


def test_who_could_read_the_history_still_can(old: Parts) -> None:
    with old.database.connection() as connection:
        connection.execute("GRANT SELECT ON notification_history TO pg_monitor WITH GRANT OPTION")
        connection.execute("GRANT UPDATE, REFERENCES ON notification_history TO PUBLIC")
        query = "SELECT relacl FROM pg_class WHERE relname = 'notification_history'"
        before = connection.execute(query).fetchall()
    migrate.upgrade(old.database.engine, REVISION)
    with old.database.connection() as connection:
        (after,) = connection.execute(query).fetchone() or ((),)
    assert sorted(after) == sorted(before[0][0])


def test_it_gives_up_when_a_reader_stays_and_changes_nothing(old: Parts) -> None:
    before = history(old)
    with old.database.connection() as reader:
        reader.execute("SELECT count(*) FROM notification_history")
        with pytest.raises(Exception, match="lock timeout"):
            migrate.upgrade(old.database.engine, REVISION)
    assert history(old) == before
    migrate.upgrade(old.database.engine, REVISION)
    assert history(old) == before
