"""Facts from a terminal."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update

from notify.billing.models import AnnualBilling, BillingFact
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.messages.models import Notification, NotificationHistory
from notify.reporting.models import ProcessingTimeFact, StatusFact
from notify.services.models import Service
from notify.templates.actions import create_template
from tests.cli.terminal import made, refused
from tests.reporting.test_facts import add_message
from tests.services.factory import a_service

pytestmark = pytest.mark.usefixtures("terminal")
DAY = date(2024, 6, 11)
NOON = datetime(2024, 6, 11, 12, tzinfo=UTC)


@pytest.fixture
def service(parts: Parts) -> Service:
    with parts.database.transaction() as session:
        service = a_service(session, name="Visas")
        add_message(session, service, NOON, api_key_id=UUID(int=1), sent_at=NOON)
        add_message(session, service, NOON.replace(day=12))
    return service


def bill(parts: Parts) -> list[tuple[date, int | None]]:
    with parts.database.reading() as session:
        facts = session.scalars(select(BillingFact).order_by(BillingFact.bst_date))
        return [(fact.bst_date, fact.notifications_sent) for fact in facts]


@pytest.mark.parametrize("command", ["rebuild-ft-billing-for-day", "rebuild_ft_billing_for_day"])
@pytest.mark.parametrize("option", ["-s", "--service_id", "--service-id"])
def test_the_bill_of_a_day_is_made_again(parts: Parts, service: Service, command: str, option: str) -> None:
    assert made(command, "-d", "2024-06-11") == {"day": "2024-06-11", "facts": 1}
    with parts.database.transaction() as session:
        session.execute(update(BillingFact).values(notifications_sent=7, provider="other"))
    assert made(command, "--day", "2024-06-11", option, str(service.id)) == {"day": "2024-06-11", "facts": 1}
    assert bill(parts) == [(DAY, 1)]
    assert "there is no service" in refused(command, "-d", "2024-06-11", option, "Nothing")
    assert "2024-06" in refused(command, "-d", "2024-06")


def test_the_bill_of_a_day_whose_messages_were_deleted_is_kept(parts: Parts, service: Service) -> None:
    made("rebuild-ft-billing-for-day", "-d", "2024-06-11")
    made("migrate-data-to-ft-notification-status", "-s", "2024-06-11", "-e", "2024-06-11")
    with parts.database.transaction() as session:
        session.execute(delete(Notification).where(Notification.created_at == NOON))
    assert "no longer kept" in refused("rebuild-ft-billing-for-day", "-d", "2024-06-11")
    gone = ("migrate-data-to-ft-notification-status", "-s", "2024-06-11", "-e", "2024-06-11")
    assert "no longer kept" in refused(*gone)
    assert bill(parts) == [(DAY, 1)]


def test_facts_of_many_days(parts: Parts, service: Service) -> None:
    period = ("-s", "2024-06-10", "--end_date", "2024-06-12")
    for changed in (2, 0):
        assert made("migrate-data-to-ft-billing", *period) == {"facts": changed}
        assert made("migrate-data-to-ft-notification-status", *period, "-t", "sms") == {"facts": changed}
    assert made("migrate-data-to-ft-notification-status", *period) == {"facts": 0}
    assert made("backfill-processing-time", *period) == {"days": 3}
    assert bill(parts) == [(DAY, 1), (date(2024, 6, 12), 1)]
    with parts.database.reading() as session:
        assert session.scalar(select(func.sum(StatusFact.notification_count))) == 2
        days = session.scalars(select(ProcessingTimeFact).order_by(ProcessingTimeFact.bst_date))
        assert [(day.messages_total, day.messages_within_10_secs) for day in days] == [(0, 0), (1, 1), (0, 0)]
    assert "before the first" in refused("migrate-data-to-ft-billing", "-s", "2024-06-12", "-e", "2024-06-10")


def test_a_day_without_a_price(parts: Parts, service: Service) -> None:
    with parts.database.transaction() as session:
        add_message(session, service, datetime(2016, 5, 1, 12, tzinfo=UTC), old=True)
    assert "2016-05-01 has no price" in refused("rebuild-ft-billing-for-day", "-d", "2016-05-01")
    with parts.database.transaction() as session:
        session.execute(delete(NotificationHistory))


def test_texts_that_were_not_counted(parts: Parts, service: Service) -> None:
    with parts.database.transaction() as session:
        template = create_template(
            session,
            service_id=service.id,
            template_type="sms",
            name="Long",
            content="x" * 200,
            created_by_id=service.created_by_id,
        )
        of_template: dict[str, Any] = {"template_id": template.id, "billable_units": 0}
        wrong = add_message(session, service, utc_now(), notification_status="permanent-failure", **of_template)
        different: list[dict[str, Any]] = [
            {"notification_status": "created"},
            {"notification_status": "validation-failed"},
            {"key_type": "test"},
            {"sent_at": utc_now()},
        ]
        others = [add_message(session, service, utc_now(), **of_template, **fields) for fields in different]
    assert made("fix-billable-units") == {"seen": 1, "fixed": 1}
    assert made("fix-billable-units") == {"seen": 0, "fixed": 0}
    with parts.database.reading() as session:
        assert session.get_one(Notification, wrong.id).billable_units == 2
        assert [session.get_one(Notification, other.id).billable_units for other in others] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "command", ["populate-annual-billing-with-the-previous-years-allowance", "populate-annual-billing"]
)
def test_the_newest_allowance_is_copied(parts: Parts, service: Service, command: str) -> None:
    with parts.database.transaction() as session:
        session.execute(delete(AnnualBilling))
        session.add(AnnualBilling(service_id=service.id, financial_year_start=2020, free_sms_fragment_limit=6))
    assert made(command, "-y", "2023") == {"year": 2023, "services": 1}
    assert made(command, "-y", "2023") == {"year": 2023, "services": 0}
    with parts.database.reading() as session:
        limits = session.scalars(select(AnnualBilling.free_sms_fragment_limit))
        assert list(limits) == [6, 6]
    assert "2015" in refused(command, "-y", "2015")
