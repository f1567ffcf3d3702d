"""Messages after their retention period: which are moved, deleted or kept, and with which data."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import pytest
from psycopg import sql

from notify.infra.container import Container
from notify.infra.database import Database
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.infra.times import local_midnight
from notify.messages.hooks import letter_files
from notify.messages.retention import KEPT_LETTERS, Retention
from notify.messages.statuses import COMPLETED
from notify.services import retention as retentions
from notify.services.retention import kept_since
from notify.vocabulary import STATUSES
from notify.worker import create_celery
from tests.api import queued
from tests.services.factory import a_service

NOW = datetime(2026, 6, 15, 3, 0, tzinfo=UTC)
BEFORE = local_midnight(date(2026, 6, 8))
"""Seven days before the night of `NOW`: 23:00 in UTC, as it is summer."""

_ADD = """
INSERT INTO notifications (id, "to", _personalisation, normalised_to, reply_to_text, unsubscribe_link, job_id,
                           job_row_number, service_id, template_id, template_version, api_key_id, key_type,
                           notification_type, created_at, sent_at, sent_by, updated_at, reference, billable_units,
                           client_reference, international, phone_prefix, rate_multiplier, notification_status,
                           created_by_id, postage, document_download_count)
SELECT gen_random_uuid(), 'secret', 'secret', '447700900123', 'reply', CASE WHEN %(type)s = 'email' THEN 'https://u' END,
       %(job)s::uuid, CASE WHEN %(job)s::uuid IS NOT NULL THEN n END, %(service)s, %(template)s, 3, %(key)s, %(key_type)s,
       %(type)s::notification_type, %(created)s::timestamptz - n * interval '1 microsecond', %(created)s::timestamptz, 'mmg', %(created)s::timestamptz, 'ref-' || n, 2,
       'client-' || n, true, '33', 4, %(status)s, %(user)s, 'europe', 7
FROM generate_series(1, %(number)s) AS n RETURNING id
"""
HISTORY: LiteralString = (
    "id, job_id, job_row_number, service_id, template_id, template_version, api_key_id, key_type, notification_type, "
    "created_at, sent_at, sent_by, updated_at, reference, billable_units, client_reference, international, "
    "phone_prefix, rate_multiplier, notification_status, created_by_id, postage, document_download_count"
)


def add(
    database: Database,
    service_id: UUID,
    type_: str = "sms",
    *,
    created: datetime = BEFORE,
    status: str = "delivered",
    key_type: str = "normal",
    number: int = 1,
    job: UUID | None = None,
) -> set[UUID]:
    """Messages created just before a time."""
    values: dict[str, Any] = {
        "service": service_id,
        "type": type_,
        "created": created,
        "status": status,
        "key_type": key_type,
        "number": number,
        "job": job,
        **{name: new_id() for name in ("template", "key", "user")},
    }
    with database.connection() as connection:
        return {row[0] for row in connection.execute(_ADD, values).fetchall()}


def ids(database: Database, table: str = "notifications") -> set[UUID]:
    with database.connection() as connection:
        return {
            row[0] for row in connection.execute(sql.SQL("SELECT id FROM {}").format(sql.Identifier(table))).fetchall()
        }


def service(database: Database, **days: int) -> UUID:
    with database.transaction() as session:
        service_id = a_service(session).id
        for type_, number in days.items():
            retentions.create_retention(session, service_id, type_, number)
        return service_id


def nothing(_ids: Sequence[UUID]) -> None:
    """There are no files."""


@pytest.fixture
def retention(database: Database) -> Retention:
    return Retention(database, nothing)


def test_history_has_everything_that_is_not_personal(database: Database, retention: Retention) -> None:
    service_id, job = new_id(), new_id()
    for type_ in ("sms", "email"):
        add(database, service_id, type_, number=2, job=job if type_ == "sms" else None)
    query: LiteralString = "SELECT " + HISTORY + " FROM {} ORDER BY id"  # noqa: S608 - of this test
    with database.connection() as connection:
        before = connection.execute(query.format("notifications")).fetchall()
    assert retention.move(service_id, "sms", BEFORE) == 2
    assert retention.move(service_id, "email", BEFORE) == 2
    with database.connection() as connection:
        assert connection.execute(query.format("notification_history")).fetchall() == before
        columns = connection.execute("SELECT * FROM notification_history LIMIT 0").description
    assert {column.name for column in columns or ()} == set(HISTORY.split(", "))
    assert ids(database) == set()


def test_midnight_in_london_decides(database: Database, retention: Retention) -> None:
    service_id = new_id()
    old = add(database, service_id, created=BEFORE)
    new = add(database, service_id, created=BEFORE + timedelta(microseconds=1))
    retention.move(service_id, "sms", BEFORE)
    assert (ids(database), ids(database, "notification_history")) == (new, old)


@pytest.mark.parametrize("type_", ["sms", "email"])
def test_texts_and_emails_go_with_any_status(database: Database, retention: Retention, type_: str) -> None:
    service_id = new_id()
    every = {id_ for status in STATUSES for id_ in add(database, service_id, type_, status=status)}
    every |= add(database, service_id, type_, key_type="team", job=new_id())
    assert retention.move(service_id, type_, BEFORE) == len(every)
    assert ids(database, "notification_history") == every


def test_letters_that_may_still_be_printed_stay_at_any_age(database: Database, retention: Retention) -> None:
    service_id = new_id()
    kept = {id_ for status in KEPT_LETTERS for id_ in add(database, service_id, "letter", status=status)}
    gone = {
        id_
        for status in STATUSES
        if status not in KEPT_LETTERS
        for id_ in add(database, service_id, "letter", status=status)
    }
    assert retention.move(service_id, "letter", BEFORE) == len(gone)
    assert (ids(database), ids(database, "notification_history")) == (kept, gone)
    assert COMPLETED | {"virus-scan-failed", "pending"} == set(STATUSES) - KEPT_LETTERS


def test_messages_of_test_keys_are_deleted_whatever_their_status(database: Database, retention: Retention) -> None:
    service_id = new_id()
    for status in ("created", "sending", "delivered"):
        add(database, service_id, "letter", status=status, key_type="test")
    young = add(database, service_id, "letter", key_type="test", created=BEFORE + timedelta(seconds=1))
    assert retention.move(service_id, "letter", BEFORE) == 0
    assert retention.delete_test(service_id, "letter", BEFORE) == 3
    assert (ids(database), ids(database, "notification_history")) == (young, set())


def test_other_services_and_types_are_left_alone(database: Database, retention: Retention) -> None:
    service_id = new_id()
    mine = add(database, service_id)
    others = add(database, new_id()) | add(database, service_id, "email")
    retention.move(service_id, "sms", BEFORE)
    assert (ids(database), ids(database, "notification_history")) == (others, mine)


def test_batches_and_runs_take_all(database: Database) -> None:
    service_id = new_id()
    every = add(database, service_id, number=25) | add(database, service_id, status="sending", number=7)
    retention = Retention(database, nothing, batch=4)
    assert retention.move(service_id, "sms", BEFORE) == 32
    assert retention.move(service_id, "sms", BEFORE) == 0
    assert ids(database, "notification_history") == every
    short = Retention(database, nothing, batch=4, run_seconds=0)
    add(database, service_id, number=9)
    assert [short.move(service_id, "sms", BEFORE) for _ in range(4)] == [4, 4, 1, 0]


def test_one_that_is_in_history_already_is_not_there_twice(database: Database, retention: Retention) -> None:
    service_id = new_id()
    (id_,) = add(database, service_id)
    with database.connection() as connection:
        connection.execute(
            "INSERT INTO notification_history (" + HISTORY + ") SELECT " + HISTORY + " FROM notifications"  # noqa: S608
        )
    assert retention.move(service_id, "sms", BEFORE) == 1
    assert (ids(database), ids(database, "notification_history")) == (set(), {id_})


def test_files_of_letters_go_before_their_rows(database: Database) -> None:
    service_id, seen = new_id(), Counter[UUID]()

    def delete(letters: Sequence[UUID]) -> None:
        assert set(letters) <= ids(database)
        seen.update(letters)

    retention = Retention(database, delete, batch=4)
    every = add(database, service_id, "letter", number=10)
    test = add(database, service_id, "letter", status="sending", key_type="test", number=3)
    add(database, service_id, "letter", status="sending")
    assert retention.move(service_id, "letter", BEFORE) == 10
    assert retention.delete_test(service_id, "letter", BEFORE) == 3
    assert seen == Counter(every | test)
    assert ids(database, "notification_history") == every


def test_what_others_have_in_hand_waits_for_the_next_run(own_parts: Parts) -> None:
    """A receipt under way keeps its row locked, a worker its message's advisory lock."""
    database, service_id = own_parts.database, new_id()
    (locked,) = add(database, service_id)
    (in_hand,) = add(database, service_id, status="created")
    free = add(database, service_id, number=3)
    retention = Retention(database, nothing)
    with database.connection() as other:
        other.execute("SELECT 1 FROM notifications WHERE id = %s FOR UPDATE", (locked,))
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s::text, 6011))", (in_hand,))
        assert retention.move(service_id, "sms", BEFORE) == 3
        assert ids(database, "notification_history") == free
    assert retention.move(service_id, "sms", BEFORE) == 2


def test_runs_side_by_side_count_each_message_once(own_parts: Parts) -> None:
    database, service_id = own_parts.database, new_id()
    every = add(database, service_id, number=600)
    moved: list[int] = []

    def run() -> None:
        moved.append(Retention(database, nothing, batch=20).move(service_id, "sms", BEFORE))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(moved) + Retention(database, nothing).move(service_id, "sms", BEFORE) == 600
    assert ids(database, "notification_history") == every


def test_days_of_services(database: Database, retention: Retention) -> None:
    chosen, usual, idle = service(database, sms=30, email=3), service(database), service(database)
    add(database, usual)
    add(database, idle, created=BEFORE + timedelta(seconds=1))
    own, others = retention.due_services("sms", NOW)
    assert own == [(chosen, local_midnight(date(2026, 5, 16)))]
    assert others == [(usual, BEFORE)]
    own, others = retention.due_services("email", NOW)
    assert (own, others) == ([(chosen, local_midnight(date(2026, 6, 12)))], [])
    assert retention.due_services("letter", NOW) == [[], []]


@pytest.mark.parametrize(
    ("days", "midnight"),
    [(0, date(2026, 6, 15)), (-5, date(2026, 6, 15)), (1, date(2026, 6, 14)), (2**31 - 1, date(1926, 7, 10))],
)
def test_any_number_of_days_means_something(days: int, midnight: date) -> None:
    assert kept_since(NOW, days) == local_midnight(midnight)


def test_the_night(own_parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    """From beat's task to the last one: what the queue holds after each step."""
    parts = own_parts
    chosen, usual = service(parts.database, sms=3), service(parts.database)
    gone = add(parts.database, usual, number=3) | add(parts.database, chosen, created=local_midnight(date(2026, 6, 12)))
    add(parts.database, usual, key_type="test")
    kept = add(parts.database, chosen, created=local_midnight(date(2026, 6, 12)) + timedelta(seconds=1))
    kept |= add(parts.database, usual, created=BEFORE + timedelta(seconds=1))
    celery = create_celery(parts.settings)
    steps = []
    monkeypatch.setattr("notify.messages.tasks.utc_now", lambda: NOW)
    celery.tasks["delete-notifications-older-than-retention"]()
    for _ in range(20):
        waiting = queued(parts)
        steps.append(Counter(name for name, _ in waiting))
        for name, arguments in waiting:
            celery.tasks[name](*arguments)
    assert steps[0] == {f"delete-{type_}-notifications": 1 for type_ in ("email", "sms", "letter")}
    assert steps[1] == {"delete-notifications-for-service-and-type": 2}
    assert steps[2] == {"delete-notifications-for-service-and-type": 2}
    assert steps[3] == {"delete-test-notifications-for-service-and-type": 2}
    assert steps[4] == {"delete-test-notifications-for-service-and-type": 1}
    assert not any(steps[5:])
    assert ids(parts.database) == kept
    assert ids(parts.database, "notification_history") == gone


def test_a_room_deletes_files(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letter_files, "_delete", None)
    seen: list[UUID] = []

    @letter_files.register
    def delete(container: Container, letters: Sequence[UUID]) -> None:
        assert container.parts is parts
        seen.extend(letters)

    service_id = new_id()
    every = add(parts.database, service_id, "letter")
    assert Container(parts).get(Retention).move(service_id, "letter", BEFORE) == 1
    assert set(seen) == every


def test_what_was_scheduled_is_kept_from_its_time_on(database: Database, retention: Retention) -> None:
    service_id = service(database)
    (waits,) = add(database, service_id, status="created")
    (late,) = add(database, service_id)
    (gone,) = add(database, service_id)
    with database.connection() as connection:
        for id_, moment in ((waits, BEFORE + timedelta(days=4)), (late, BEFORE), (gone, BEFORE - timedelta(seconds=1))):
            connection.execute(
                "UPDATE notifications SET scheduled_for = %s, next_try_at = %s, created_at = %s WHERE id = %s",
                (moment, moment, BEFORE - timedelta(days=3), id_),
            )
    assert retention.move(service_id, "sms", BEFORE) == 1
    assert ids(database) == {waits, late}
    assert ids(database, "notification_history") == {gone}
