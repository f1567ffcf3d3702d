"""Commands that repair data, and the one that fills a database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from notify.infra.ids import new_id
from notify.infra.objects import ObjectMissingError
from notify.infra.parts import Parts
from notify.infra.times import local_date, local_midnight, utc_now
from notify.jobs.models import Job
from notify.messages.models import PERSONALISATION
from notify.services.models import Service
from notify.templates.actions import create_template
from notify.templates.models import Template
from tests.api import queued
from tests.cli.terminal import made, refused, run
from tests.services.factory import a_service

pytestmark = pytest.mark.usefixtures("terminal")

_ADD = """
INSERT INTO {} (id, {} service_id, template_id, template_version, key_type, notification_type, created_at,
                notification_status, postage, billable_units)
VALUES (%(id)s, {} %(service)s, %(template)s, 1, %(key_type)s, %(type)s, %(created)s, %(status)s, %(postage)s, %(units)s)
"""


@pytest.fixture(autouse=True)
def _same_files(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBJECT_STORE_URL", f"file://{parts.settings.notify_data_dir}/objects")
    monkeypatch.setenv("NOTIFICATION_QUEUE_PREFIX", parts.settings.notification_queue_prefix)


def template(parts: Parts, content: str = "x" * 200) -> tuple[Service, Template]:
    with parts.database.transaction() as session:
        service = a_service(session, restricted=False)
        row = create_template(
            session,
            service_id=service.id,
            template_type="sms",
            name="x",
            content=content,
            created_by_id=service.created_by_id,
        )
        return service, row


def add(parts: Parts, table: str = "notifications", **more: Any) -> UUID:
    """A message; its id."""
    values: dict[str, Any] = {
        "id": new_id(),
        "service": new_id(),
        "template": new_id(),
        "key_type": "normal",
        "type": "letter",
        "created": datetime(2020, 5, 1, tzinfo=UTC),
        "status": "delivered",
        "postage": None,
        "units": 0,
    } | more
    personal = ('"to", _personalisation,', "'', %(personalisation)s,") if table == "notifications" else ("", "")
    values["personalisation"] = parts.encryptor.encrypt_json({}, PERSONALISATION, values["id"])
    with parts.database.connection() as connection:
        connection.execute(_ADD.format(table, *personal).encode(), values)
    id_: UUID = values["id"]
    return id_


def column(parts: Parts, name: str, table: str = "notifications") -> dict[UUID, Any]:
    with parts.database.connection() as connection:
        return dict(connection.execute(f"SELECT id, {name} FROM {table}".encode()).fetchall())  # noqa: S608


def test_letters_without_postage_are_second_class(parts: Parts) -> None:
    live = [
        add(parts),
        add(parts, postage="first"),
        add(parts, type="sms"),
        add(parts, created=datetime(2016, 1, 1, tzinfo=UTC)),
    ]
    old = [
        add(parts, "notification_history"),
        add(parts, "notification_history", created=datetime(2026, 11, 1, tzinfo=UTC)),
        add(parts, "notification_history", created=datetime(2017, 1, 31, tzinfo=UTC)),
        add(parts, "notification_history", type="email"),
    ]
    assert made("populate-notification-postage") == {"changed": 3}
    assert [column(parts, "postage")[id_] for id_ in live] == ["second", "first", None, None]
    history = column(parts, "postage", "notification_history")
    assert [history[id_] for id_ in old] == ["second", "second", None, None]
    assert made("populate-notification-postage", "-s", "2016-01-01") == {"changed": 2}
    assert made("populate-notification-postage", "--start_date", "2016-01-01") == {"changed": 0}


@pytest.mark.parametrize(
    "name",
    [
        "backfill-notification-statuses",
        "update-notification-international-flag",
        "fix-notification-statuses-not-in-sync",
    ],
)
def test_deprecated_ones_say_why_there_is_nothing_to_do(name: str) -> None:
    result = run(name)
    assert result.exit_code == 0
    assert result.output.startswith("Nothing to fix: ")
    assert len(result.output.splitlines()) == 1


def job(parts: Parts, row: Template, content: str, **more: Any) -> UUID:
    """A job whose file is there."""
    with parts.database.transaction() as session:
        made_job = Job(
            id=new_id(),
            original_file_name="x.csv",
            service_id=row.service_id,
            template_id=row.id,
            template_version=1,
            notification_count=content.count("\n") - 1,
            **({"job_status": "finished"} | more),
        )
        session.add(made_job)
        session.flush()
        id_ = made_job.id
    bucket = parts.objects.bucket(parts.settings.s3_bucket_csv_upload)
    bucket.put(f"service-{row.service_id}-notify/{id_}.csv", content.encode())
    return id_


def has_file(parts: Parts, row: Template, job_id: UUID) -> bool:
    bucket = parts.objects.bucket(parts.settings.s3_bucket_csv_upload)
    try:
        bucket.info(f"service-{row.service_id}-notify/{job_id}.csv")
    except ObjectMissingError:
        return False
    return True


def test_jobs_of_some_days_are_archived(parts: Parts) -> None:
    _, row = template(parts)
    times = {
        "before": datetime(2026, 6, 9, 22, 59, tzinfo=UTC),
        "first": datetime(2026, 6, 9, 23, 0, tzinfo=UTC),
        "last": datetime(2026, 6, 12, 22, 59, tzinfo=UTC),
        "after": datetime(2026, 6, 12, 23, 0, tzinfo=UTC),
    }
    ids = {name: job(parts, row, "to\nx\n", created_at=moment) for name, moment in times.items()}
    ids["scheduled"] = job(parts, row, "to\nx\n", created_at=times["first"], job_status="scheduled")
    arguments = ("archive-jobs-created-between-dates", "-s", "2026-06-10", "-e", "2026-06-12")
    assert made(*arguments) == {"archived": 3}
    assert made(*arguments) == {"archived": 0}
    with parts.database.session() as session:
        archived = {row.id: row.archived for row in session.scalars(select(Job))}
    assert {name for name, id_ in ids.items() if archived[id_]} == {"first", "last", "scheduled"}
    assert {name for name, id_ in ids.items() if has_file(parts, row, id_)} == {"before", "after", "scheduled"}
    assert "after the last" in refused("archive-jobs-created-between-dates", "-s", "2026-06-10", "-e", "2026-06-09")


def test_a_row_of_a_job_is_made_once(parts: Parts) -> None:
    _, row = template(parts, "Hello")
    id_ = job(parts, row, "phone number\n07900900001\n07900900002\n")
    arguments = ("process-row-from-job", "-j", str(id_), "-n", "1")
    assert made(*arguments) == {"job_id": str(id_), "row": 1, "made": True}
    assert set(column(parts, "normalised_to").values()) == {"447900900002"}
    ((task, (ids, *_)),) = queued(parts)
    assert (task, {UUID(text) for text in ids}) == ("deliver_sms", set(column(parts, "id")))
    assert made(*arguments)["made"] is False
    # one that has gone to the history is not sent again
    with parts.database.connection() as connection:
        connection.execute(
            "WITH gone AS (DELETE FROM notifications RETURNING *) INSERT INTO notification_history (id, job_id,"
            " job_row_number, service_id, template_id, template_version, key_type, notification_type, created_at)"
            " SELECT id, job_id, job_row_number, service_id, template_id, template_version, key_type,"
            " notification_type, created_at FROM gone"
        )
    assert made(*arguments)["made"] is False
    assert queued(parts) == []
    assert "No result found" in refused("process-row-from-job", "-j", str(id_), "-n", "2")
    assert "No result found" in refused("process-row-from-job", "-j", str(new_id()), "-n", "0")


def test_a_database_is_filled(parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    made("create-user", "--name", "Ada", "--email", "ada@example.com")
    result = made("generate-bulktest-data", "-u", "ada@example.com", "--services", "2", "--messages", "403")
    assert result == {"services": 2, "messages": 202, "in_history": 201}
    with parts.database.connection() as connection:
        ((live, services),) = connection.execute(
            "SELECT count(*), count(DISTINCT service_id) FROM notifications"
        ).fetchall()
        ((old,),) = connection.execute("SELECT count(*) FROM notification_history").fetchall()
        ((facts,),) = connection.execute("SELECT sum(notification_count) FROM ft_notification_status").fetchall()
        ((billed,),) = connection.execute("SELECT sum(notifications_sent) FROM ft_billing").fetchall()
        ((organisations,),) = connection.execute(
            "SELECT count(DISTINCT organisation_id) FROM services WHERE name LIKE 'Bulk%'"
        ).fetchall()
        ((past,),) = connection.execute(
            "SELECT count(*) FROM notifications WHERE key_type <> 'test' AND created_at < %s",
            (local_midnight(local_date(utc_now())),),
        ).fetchall()
        ((rows, counted, different),) = connection.execute(
            "SELECT count(*), (SELECT sum(notification_count) FROM jobs), count(DISTINCT (job_id, job_row_number))"
            " FROM notifications WHERE job_id IS NOT NULL"
        ).fetchall()
    assert (live, services, old, organisations) == (202, 2, 201, 1)
    assert (facts, billed) == (old + past, old + past)
    assert rows == counted == different > 90
    monkeypatch.setenv("NOTIFY_ENVIRONMENT", "production")
    assert refused("generate-bulktest-data", "-u", "ada@example.com")


def test_partitions_are_made_by_hand(parts: Parts) -> None:
    coming = made("create-partitions")
    assert len(coming["made"]) in (2, 3)  # on the last day of a month the next one is left out
    assert coming["dropped"] == []
    assert made("create-partitions") == {"made": [], "dropped": []}
    with parts.database.connection() as reader:
        reader.execute(f"DROP TABLE {coming['made'][0]}")
        reader.commit()
        reader.execute("SELECT count(*) FROM notification_history")
        assert "try again" in refused("create-partitions")
