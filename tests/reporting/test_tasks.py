"""Nightly tasks, and cached counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from celery.schedules import crontab
from sqlalchemy.orm import Session

from notify import queues
from notify.billing import tasks as billing_tasks
from notify.billing.organisation_usage import UPDATED_AT_KEY
from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.infra.task_set import Periodic
from notify.infra.times import local_date, utc_now
from notify.reporting import tasks
from notify.reporting.publish import BILLING_OF_DAY, DESPATCH_OF_DAY, STATUSES_OF_DAY
from notify.reporting.today import COUNTED_A_SECOND, sent_today
from tests.api import queued
from tests.reporting.test_facts import add_message, billed
from tests.services.factory import a_service


def test_times_and_queues() -> None:
    found = {task.name: task.periodic for task in (*tasks.tasks, *billing_tasks.tasks) if task.periodic}
    assert found == {
        "create-nightly-billing": Periodic(crontab(hour=0, minute=15), queues.REPORTING, None, {}),
        "create-nightly-notification-status": Periodic(crontab(hour=0, minute=30), queues.REPORTING, None, {}),
        "update-ft-billing-for-today": Periodic(crontab(minute=0), queues.REPORTING, 3600, {}),
        "save-daily-notification-processing-time": Periodic(crontab(hour=2, minute=0), queues.PERIODIC, None, {}),
        "run-populate-annual-billing": Periodic(
            crontab(month_of_year=4, day_of_month=1, hour=2, minute=1), queues.PERIODIC, None, {}
        ),
    }


def test_each_night_ten_days_are_billed(parts: Parts) -> None:
    yesterday = local_date(utc_now()) - timedelta(days=1)
    container = Container(parts)
    tasks.create_nightly_billing(container)
    days = [str(yesterday - timedelta(days=number)) for number in range(10)]
    expected = [(name, [day]) for day in days for name in (BILLING_OF_DAY, DESPATCH_OF_DAY)]
    assert sorted(queued(parts)) == sorted(expected)
    tasks.create_nightly_billing(container, "2026-03-30", 2, 0)
    expected = [(name, [day]) for day in ("2026-03-30", "2026-03-29") for name in (BILLING_OF_DAY, DESPATCH_OF_DAY)]
    assert sorted(queued(parts)) == sorted(expected)


def test_each_night_statuses_are_counted_of_letters_for_longer(parts: Parts) -> None:
    today = local_date(utc_now())
    tasks.create_nightly_notification_status(Container(parts))
    expected = [
        (STATUSES_OF_DAY, [str(today - timedelta(days=number)), kind])
        for kind, days in (("sms", 4), ("email", 4), ("letter", 10))
        for number in range(1, days + 1)
    ]
    assert sorted(queued(parts)) == sorted(expected)


def test_today_is_billed_each_hour_and_the_time_is_noted(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service = a_service(session)
        add_message(session, service, utc_now())
    for _ in range(2):
        tasks.update_ft_billing_for_today(Container(parts))
    with parts.database.session() as session:
        assert [row[7] for row in billed(session, service, local_date(utc_now()))] == ["1"]
    noted = parts.cache.get(UPDATED_AT_KEY)
    assert noted is not None
    assert abs(datetime.fromisoformat(noted.decode()) - utc_now()) < timedelta(minutes=1)
    assert noted.decode().endswith("+00:00")


def test_the_first_of_april(parts: Parts) -> None:
    for _ in range(2):
        billing_tasks.run_populate_annual_billing(Container(parts))


_FILL = """
INSERT INTO notifications (id, "to", service_id, template_id, template_version, key_type, notification_type, created_at,
                           notification_status)
SELECT gen_random_uuid(), 'x', %(service)s, %(service)s, 1, 'normal', 'sms', %(now)s, 'delivered'
FROM generate_series(1, %(number)s)
"""


@pytest.mark.parametrize(
    ("number", "is_kept"), [(2 * COUNTED_A_SECOND, True), (COUNTED_A_SECOND - 1, False)], ids=["many", "few"]
)
def test_counts_of_many_messages_are_kept_for_some_seconds(
    parts: Parts, session: Session, number: int, is_kept: bool
) -> None:
    now = datetime(2026, 7, 20, 12, 0, tzinfo=UTC)
    service = a_service(session)
    session.connection().exec_driver_sql(_FILL, {"service": service.id, "now": now, "number": number})

    def counted() -> int:
        return sum(group.number for group in sent_today(session, parts.cache, service.id, now=now))

    assert counted() == number
    add_message(session, service, now, key_type="test")
    add_message(session, service, now)
    assert counted() == number + (not is_kept)
    # of the next day nothing is known
    assert sent_today(session, parts.cache, service.id, now=now + timedelta(days=1)) == []
