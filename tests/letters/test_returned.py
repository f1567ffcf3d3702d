"""Returned letters: their status, the report, and the callback to their service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from notify import queues
from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.letters import returned
from notify.letters.returned import ReturnedLetters
from notify.letters.returned_report import read_report
from notify.webhooks.actions import create_callback
from notify.webhooks.models import PAYLOAD
from tests.api import queued
from tests.letters.rows import Letters


def references(letters: Letters, *ids: UUID) -> list[str]:
    return [letters.row(id_).reference or "" for id_ in ids]


def waiting(letters: Letters) -> list[dict[str, Any]]:
    rows = letters.execute(
        "SELECT id, payload FROM pending_callbacks WHERE callback_type = 'returned_letter' AND service_id = %s "
        "ORDER BY id",
        (letters.service_id,),
    )
    return [letters.parts.encryptor.decrypt_json(payload, PAYLOAD, id_) for id_, payload in rows]


@pytest.mark.parametrize("history", [False, True])
@pytest.mark.parametrize("status", ["created", "sending", "delivered", "technical-failure"])
def test_the_status_whatever_it_was_and_wherever_the_row_is(
    letters: Letters, container: Container, status: str, history: bool
) -> None:
    id_, other = letters.add(status=status, history=history), letters.add(status=status, history=history)
    assert container.get(ReturnedLetters).record([*references(letters, id_), "A" * 16]) == 1
    assert letters.status(id_) == "returned-letter"
    assert letters.status(other) == status
    rows = letters.execute("SELECT service_id, reported_at FROM returned_letters WHERE notification_id = %s", (id_,))
    assert rows == [(letters.service_id, utc_now().date())]


def test_the_first_report_counts(letters: Letters, container: Container) -> None:
    id_ = letters.add(status="delivered")
    letters.execute(
        "INSERT INTO returned_letters (id, reported_at, service_id, notification_id, created_at) "
        "VALUES (%s, '2020-01-01', %s, %s, '2020-01-01')",
        (new_id(), letters.service_id, id_),
    )
    assert container.get(ReturnedLetters).record(references(letters, id_)) == 0
    assert letters.execute("SELECT reported_at::text FROM returned_letters") == [("2020-01-01",)]


def test_a_service_is_called_back_once_for_each_letter(letters: Letters, container: Container) -> None:
    with letters.parts.database.transaction() as session:
        create_callback(
            session,
            letters.parts.encryptor,
            service_id=letters.service_id,
            callback_type="returned_letter",
            url="https://service.example/returned",
            bearer_token="x" * 20,
            updated_by_id=letters.user_id,
            guarded=False,
        )
    by_api = letters.add(status="delivered", client_reference="case 7")
    by_person = letters.add(status="delivered", by_api=False, client_reference="theirs")
    for _ in range(2):
        container.get(ReturnedLetters).record(references(letters, by_api, by_person))
    first, second = sorted(waiting(letters), key=lambda body: body["sent_by"] != "API")
    assert first["notification_id"] == str(by_api)
    assert (first["reference"], first["sent_by"]) == ("case 7", "API")
    assert second["notification_id"] == str(by_person)
    assert second["reference"] is None
    assert "@" in second["sent_by"]
    assert first.keys() == {
        "notification_id",
        "reference",
        "date_sent",
        "sent_by",
        "template_name",
        "template_id",
        "template_version",
        "spreadsheet_file_name",
        "spreadsheet_row_number",
        "upload_letter_file_name",
    }


def test_lists_come_in_slices(parts: Parts) -> None:
    queued(parts)
    many = [f"{number:016}" for number in range(12_000)]
    assert returned.publish(parts.queue, many)
    found = queued(parts)
    assert [name for name, _ in found] == ["process-returned-letters-list"] * 3
    assert [len(arguments[0]) for _, arguments in found] == [5000, 5000, 2000]
    assert [reference for _, arguments in found for reference in arguments[0]] == many
    assert queues.DATABASE == "database-tasks"


def test_the_report_of_a_day(letters: Letters, container: Container) -> None:
    old = letters.add(status="delivered", age=timedelta(days=30), history=True, client_reference="old one")
    new = letters.add(status="delivered", by_api=False)
    gone = letters.add(status="delivered")
    container.get(ReturnedLetters).record(references(letters, old, new, gone))
    letters.execute("DELETE FROM notifications WHERE id = %s", (gone,))
    with letters.parts.database.session() as session:
        report = read_report(session, letters.service_id, utc_now().date())
        assert read_report(session, letters.service_id, utc_now().date() - timedelta(days=1)) == ([], 0)
    assert [one.notification_id for one in report.returned_letters] == [new, old]
    assert [one.client_reference for one in report.returned_letters] == [None, "old one"]
    assert [one.user_name for one in report.returned_letters][1] == "API"
    assert report.orphaned_count == 1


def test_statistics(letters: Letters, container: Container) -> None:
    with letters.parts.database.session() as session:
        assert returned.count(session, letters.service_id, utc_now()) == (0, None)
        assert returned.summarise(session, letters.service_id) == []
    ids = [letters.add(status="delivered") for _ in range(3)]
    container.get(ReturnedLetters).record(references(letters, *ids))
    letters.execute(
        "UPDATE returned_letters SET reported_at = '2020-01-01' WHERE notification_id = %s",
        (ids[0],),
    )
    with letters.parts.database.session() as session:
        now = utc_now()
        assert returned.count(session, letters.service_id, now).returned_letter_count == 2
        summary = returned.summarise(session, letters.service_id)
        assert [(one.returned_letter_count, str(one.reported_at)) for one in summary] == [
            (2, str(now.date())),
            (1, "2020-01-01"),
        ]
    letters.execute("UPDATE returned_letters SET reported_at = '2026-07-03'")
    with letters.parts.database.session() as session:
        for moment, number in (("2026-07-09T23:59:59", 3), ("2026-07-10T00:00:00", 0)):
            statistics = returned.count(session, letters.service_id, datetime.fromisoformat(f"{moment}+00:00"))
            assert statistics == (number, datetime(2026, 7, 3, tzinfo=UTC))
