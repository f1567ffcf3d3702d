"""Partitions of the history: made ahead, dropped when they are empty for good, and never a reason to refuse a message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import psycopg
import pytest
from sqlalchemy import event

from notify import migrate
from notify.infra.container import Container
from notify.infra.ids import first_id, new_id
from notify.infra.parts import Parts
from notify.messages.partitions import BUSY, Month, Partitions
from notify.messages.queries import find_origin
from notify.messages.retention import Retention
from notify.messages.ses_events import SesEvents
from tests.messages.test_plans import scans

NOW = datetime(2026, 6, 15, 2, 20, tzinfo=UTC)
DEFAULT = "notification_history_default"
JULY, AUGUST, SEPTEMBER = (f"notification_history_2026_0{month}" for month in (7, 8, 9))
_ADD = """
INSERT INTO notifications (id, "to", service_id, template_id, template_version, key_type, notification_type, created_at,
                           notification_status)
SELECT id, 'x', %s, id, 1, 'normal', 'letter', now() - interval '1 day', 'delivered' FROM unnest(%s::uuid[]) AS id
"""
_TO_HISTORY = """
INSERT INTO notification_history (id, service_id, template_id, template_version, key_type, notification_type, created_at)
SELECT id, id, id, 1, 'normal', 'sms', now() FROM unnest(%s::uuid[]) AS id
"""
_WHERE = "SELECT id, tableoid::regclass::text FROM notification_history"
_NAMES = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'notification_history'::regclass"
_PROMISES = "SELECT conname FROM pg_constraint WHERE conname LIKE '%not_to_come'"


@pytest.fixture
def parts(own_parts: Parts) -> Parts:
    """Tables are made, in transactions of their own."""
    return own_parts


@pytest.fixture
def partitions(parts: Parts) -> Partitions:
    return Container(parts).get(Partitions)


def names(parts: Parts) -> set[str]:
    with parts.database.connection() as connection:
        return {name for (name,) in connection.execute(_NAMES)}


def where(parts: Parts) -> dict[UUID, str]:
    with parts.database.connection() as connection:
        return dict(connection.execute(_WHERE).fetchall())


def add(parts: Parts, *ids: UUID) -> None:
    with parts.database.connection() as connection:
        connection.execute(_TO_HISTORY, (list(ids),))


def in_month(month: int, year: int = 2026) -> UUID:
    """An id made in the middle of a month."""
    return UUID(int=first_id(datetime(year, month, 15, tzinfo=UTC)).int + uuid4().int % 1000)


def test_coming_months_are_made_once(parts: Parts, partitions: Partitions) -> None:
    assert partitions.create(NOW) == [JULY, AUGUST, SEPTEMBER]
    assert partitions.create(NOW) == []
    assert partitions.create(NOW + timedelta(days=30)) == ["notification_history_2026_10"]
    assert names(parts) == {DEFAULT, JULY, AUGUST, SEPTEMBER, "notification_history_2026_10"}


def test_a_month_that_is_about_to_begin_is_left_to_the_default_partition(partitions: Partitions) -> None:
    assert partitions.create(datetime(2026, 6, 30, 23, tzinfo=UTC)) == [AUGUST, SEPTEMBER]


def test_months_end_with_the_year() -> None:
    month = Month.of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert (month.begins, month.ends) == (datetime(2026, 12, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    assert month.ids[1] == Month.of(month.ends).ids[0]


def test_a_message_goes_to_its_month_and_any_other_to_the_default_partition(
    parts: Parts, partitions: Partitions
) -> None:
    partitions.create(NOW)
    service, july, september = new_id(), in_month(7), in_month(9)
    uploaded, earlier, far_away = uuid4(), in_month(6), in_month(1, 2030)
    with parts.database.connection() as connection:
        connection.execute(_ADD, (service, [july, september, uploaded, earlier, far_away]))
    # one that a killed run had moved by hand, or that was restored twice, is not there twice
    add(parts, july)
    moved = Retention(parts.database, lambda ids: None).move(service, "letter", datetime.now(UTC))
    assert moved == 5
    assert where(parts) == {
        july: JULY,
        september: SEPTEMBER,
        uploaded: DEFAULT,
        earlier: DEFAULT,
        far_away: DEFAULT,
    }


def test_an_id_is_in_the_history_once(parts: Parts, partitions: Partitions) -> None:
    partitions.create(NOW)
    for id_ in (in_month(7), uuid4()):
        add(parts, id_)
        with pytest.raises(psycopg.errors.UniqueViolation):
            add(parts, id_)


def test_a_look_up_by_id_reads_one_partition(parts: Parts, partitions: Partitions) -> None:
    partitions.create(NOW)
    with parts.database.connection() as connection:
        plan = connection.execute("EXPLAIN SELECT * FROM notification_history WHERE id = %s", (in_month(7),)).fetchall()
    (scan,) = (line for (line,) in plan if " on notification_history" in line)
    assert f" on {JULY} " in scan


def test_rows_of_the_default_partition_that_belong_to_a_coming_month_move(parts: Parts, partitions: Partitions) -> None:
    early, other = in_month(8), uuid4()
    add(parts, early, other)
    assert partitions.create(NOW) == [JULY, AUGUST, SEPTEMBER]
    later = in_month(8)
    add(parts, later)
    assert where(parts) == {early: AUGUST, later: AUGUST, other: DEFAULT}


def test_the_default_partition_is_not_read_under_the_lock(parts: Parts) -> None:
    """It is told by PostgreSQL itself."""
    said: list[str] = []
    add(parts, *(uuid4() for _ in range(1000)))
    parts.database.close()

    def listen(connection: psycopg.Connection, *_: object) -> None:
        connection.add_notice_handler(lambda notice: said.append(notice.message_primary or ""))
        connection.execute("SET client_min_messages = debug1")
        connection.commit()

    event.listen(parts.database.engine, "connect", listen)
    Partitions(parts.database).create(NOW)
    proven = [line for line in said if f'"{DEFAULT}" is implied by existing constraints' in line]
    assert len(proven) == 3


def test_a_reader_who_stays_makes_it_give_up_and_nothing_is_left_behind(parts: Parts, partitions: Partitions) -> None:
    with parts.database.connection() as reader:
        reader.execute("SELECT count(*) FROM notification_history")
        with pytest.raises(BUSY):
            partitions.create(NOW)
        add(parts, in_month(7))  # nobody else waits
    with parts.database.connection() as connection:
        assert connection.execute(_PROMISES).fetchall() == []
    assert names(parts) == {DEFAULT}
    assert partitions.create(NOW) == [JULY, AUGUST, SEPTEMBER]


def test_what_a_killed_run_left_is_cleared(parts: Parts, partitions: Partitions) -> None:
    july = in_month(7)
    with parts.database.connection() as connection:
        first, end = Month.of(datetime(2026, 7, 1, tzinfo=UTC)).ids
        connection.execute(
            f"ALTER TABLE {DEFAULT} ADD CONSTRAINT ck_notification_history_not_to_come"
            f" CHECK (id < '{first}' OR id >= '{end}') NOT VALID"
        )
    with pytest.raises(psycopg.errors.CheckViolation):
        add(parts, july)
    assert partitions.create(NOW) == [JULY, AUGUST, SEPTEMBER]
    add(parts, july)
    assert where(parts) == {july: JULY}


def test_two_runs_at_once_do_the_work_once(parts: Parts, partitions: Partitions) -> None:
    with parts.database.connection() as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended('notification_history', 6015))")
        assert partitions.create(NOW) == []
    assert partitions.create(NOW) == [JULY, AUGUST, SEPTEMBER]


def test_old_empty_partitions_are_dropped(parts: Parts, partitions: Partitions) -> None:
    partitions.create(NOW)
    kept = in_month(8)
    add(parts, kept)
    # messages of July may come until a hundred days after its end
    assert partitions.drop_empty(datetime(2026, 11, 8, tzinfo=UTC)) == []
    assert partitions.drop_empty(datetime(2026, 11, 10, tzinfo=UTC)) == [JULY]
    assert partitions.drop_empty(datetime(2027, 12, 1, tzinfo=UTC)) == [SEPTEMBER]
    assert names(parts) == {DEFAULT, AUGUST}
    late = in_month(7)
    add(parts, late)
    assert where(parts) == {kept: AUGUST, late: DEFAULT}


def test_a_partition_in_use_is_dropped_another_time(parts: Parts, partitions: Partitions) -> None:
    partitions.create(NOW)
    then = datetime(2026, 11, 10, tzinfo=UTC)
    with parts.database.connection() as writer:
        writer.execute(_TO_HISTORY, ([in_month(7)],))
        with pytest.raises(BUSY):
            partitions.drop_empty(then)
    assert partitions.drop_empty(then) == []


def test_a_history_without_partitions_stays_as_it_is(parts: Parts, partitions: Partitions) -> None:
    migrate.downgrade(parts.database.engine, "2026_11_27_1140-1")
    assert partitions.create(NOW) == []
    assert partitions.drop_empty(NOW) == []


def test_partitions_are_not_read_from_end_to_end(parts: Parts, partitions: Partitions) -> None:
    partitions.create(NOW)
    for month in (6, 7, 8, 9):
        first = first_id(datetime(2026, month, 3, tzinfo=UTC)).int
        add(parts, *(UUID(int=first + number) for number in range(5_000)))
    with parts.database.autocommit() as connection:
        connection.execute("ANALYZE notification_history")
    some = [UUID(int=first_id(datetime(2026, 8, 3, tzinfo=UTC)).int + number) for number in range(500)]
    before = scans(parts, "notification_history")
    container = Container(parts)
    for _ in range(8):  # prepared plans, too
        container.get(SesEvents)._apply_to_history(dict.fromkeys(some, "delivered"), NOW)
        container.get(SesEvents)._find({"reference-1", "reference-2"})
        with parts.database.session() as session:
            assert find_origin(session, some[0]) is not None
    assert scans(parts, "notification_history") == before
