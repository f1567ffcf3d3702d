"""Usage of a service, also of today."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from notify.billing.allowances import financial_year
from notify.billing.models import BillingFact
from notify.infra.ids import new_id, new_public_id
from notify.infra.times import local_date, utc_now
from notify.messages.models import Notification
from notify.services.models import Service, ServicePermission
from notify.templates.models import Template
from tests.internal.admin import AdminClient, Factory

THIS_YEAR = financial_year(local_date(utc_now()))
PATHS = ("monthly-usage", "yearly-usage-summary", "ft-monthly-usage", "ft-yearly-usage-summary")


def send(factory: Factory, template: Template, **fields: Any) -> None:
    values: dict[str, Any] = {
        "id": new_id(),
        "to": b"x",
        "service_id": template.service_id,
        "template_id": template.id,
        "template_version": 1,
        "key_type": "normal",
        "notification_type": template.template_type,
        "notification_status": "delivered",
        "created_at": utc_now(),
        "sent_by": "mmg",
        "billable_units": 2,
        "rate_multiplier": 3,
    }
    factory.row(Notification(**(values | fields)))


def usage(admin: AdminClient, service: Service, path: str, year: int = THIS_YEAR) -> Any:
    return admin.get(f"/service/{service.id}/billing/{path}", {"year": year})


def test_todays_messages_are_billed_when_the_months_are_looked_at(admin: AdminClient, factory: Factory) -> None:
    service = factory.service()
    admin.post(f"/service/{service.id}/billing/free-sms-fragment-limit", {"free_sms_fragment_limit": 5}, status=201)
    send(factory, factory.template(service, "sms"))
    send(factory, factory.template(service, "email"), rate_multiplier=None, sent_by="ses", billable_units=0)
    assert usage(admin, service, "yearly-usage-summary") == []
    for _ in range(2):
        (month,) = usage(admin, service, "monthly-usage")
        assert month["month"] == f"{local_date(utc_now()):%B}"
        numbers = ("notifications_sent", "chargeable_units", "charged_units", "free_allowance_used")
        assert [month[name] for name in numbers] == [1, 6, 1, 5]
        assert month["cost"] == month["rate"]
    assert [row["notification_type"] for row in usage(admin, service, "yearly-usage-summary")] == ["email", "sms"]
    assert usage(admin, service, "monthly-usage", THIS_YEAR - 1) == []


def test_todays_messages_count_at_once_under_the_paths_of_2020(admin: AdminClient, factory: Factory) -> None:
    service = factory.service()
    send(factory, factory.template(service, "sms"))
    send(factory, factory.template(service, "email"), rate_multiplier=None, sent_by="ses", billable_units=0)
    years = usage(admin, service, "ft-yearly-usage-summary")
    assert [(row["notification_type"], row["billing_units"]) for row in years] == [("email", 1), ("sms", 6)]
    assert {tuple(sorted(row)) for row in years} == {("billing_units", "letter_total", "notification_type", "rate")}
    (month,) = usage(admin, service, "ft-monthly-usage")
    assert (month["billing_units"], month["notification_type"], month["postage"]) == (6, "sms", "none")


def test_what_a_service_may_not_send_is_not_looked_for(admin: AdminClient, factory: Factory) -> None:
    service = factory.service()
    send(factory, factory.template(service, "sms"))
    with factory.session() as session:
        for row in session.scalars(select(ServicePermission).where(ServicePermission.service_id == service.id)):
            session.delete(row)
        session.commit()
    assert usage(admin, service, "monthly-usage") == []


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("year", ["", "now", "20204", "0000", "-202", "２０２４"])
def test_years_that_are_none(admin: AdminClient, service: Service, path: str, year: str) -> None:
    query = {"year": year} if year else {}
    refused = admin.get(f"/service/{service.id}/billing/{path}", query, status=400)
    assert refused == {"result": "error", "message": "No valid year provided"}


@pytest.mark.parametrize("path", PATHS)
def test_a_year_may_have_fewer_digits(admin: AdminClient, service: Service, path: str) -> None:
    assert admin.get(f"/service/{service.id}/billing/{path}", {"year": "999"}) == []


@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_service_used_nothing(admin: AdminClient, path: str) -> None:
    for year in (2018, THIS_YEAR, 9998):
        assert admin.get(f"/service/{new_public_id()}/billing/{path}", {"year": year}) == []


def test_providers_show_what_they_were_given_this_month(admin: AdminClient, service: Service, factory: Factory) -> None:
    def given() -> dict[str, int]:
        listed = admin.get("/provider-details")["provider_details"]
        return {row["identifier"]: row["current_month_billable_sms"] for row in listed}

    before = given()
    today = local_date(utc_now())
    for day in (today, today.replace(day=1) - timedelta(days=1)):
        factory.row(
            BillingFact(
                bst_date=day,
                template_id=new_id(),
                service_id=service.id,
                notification_type="sms",
                provider="firetext",
                rate_multiplier=3,
                international=True,
                rate=1,
                postage="none",
                billable_units=7,
                notifications_sent=7,
            )
        )
    assert given() == before | {"firetext": before["firetext"] + 21}
