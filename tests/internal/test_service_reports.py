from __future__ import annotations

from datetime import date
from typing import Any

from notify.billing.allowances import financial_year
from notify.billing.models import BillingFact
from notify.infra.ids import new_id
from notify.infra.times import local_date, utc_now
from notify.reporting.models import StatusFact
from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory

YEAR_START = date(financial_year(local_date(utc_now())), 4, 1)


def _live(admin: AdminClient, service: Service) -> list[Any]:
    listed = admin.get("/service/live-services-data")["data"]
    return [row for row in listed if row["service_id"] == str(service.id)]


def test_live_services_with_their_contacts_and_volumes(admin: AdminClient, factory: Factory) -> None:
    user = factory.user()
    service = factory.service(user_id=user.id, restricted=False)
    for day, number in ((YEAR_START, 7), (date(2016, 5, 5), 5)):
        factory.row(
            BillingFact(
                bst_date=day,
                template_id=new_id(),
                service_id=service.id,
                notification_type="sms",
                provider="mmg",
                rate_multiplier=1,
                international=False,
                rate=0,
                postage="none",
                billable_units=number,
                notifications_sent=number,
            )
        )
    admin.post(f"/service/{service.id}", {"go_live_user": str(user.id), "volume_email": 10})
    (row,) = _live(admin, service)
    assert (row["contact_name"], row["contact_email"]) == (user.name, user.email_address)
    assert (row["sms_totals"], row["email_totals"], row["email_volume_intent"]) == (7, 0, 10)
    assert (row["organisation_name"], row["live_date"]) == (None, None)
    for change in ({"count_as_live": False}, {"count_as_live": True, "restricted": True}):
        admin.post(f"/service/{service.id}", change)
        assert _live(admin, service) == []


def test_what_live_services_sent_by_month(admin: AdminClient, factory: Factory) -> None:
    service = factory.service(restricted=False)
    facts = [
        ("sending", 1, "normal"),
        ("pending", 2, "team"),
        ("delivered", 4, "normal"),
        ("failed", 8, "normal"),
        ("created", 16, "normal"),
        ("delivered", 32, "test"),
    ]
    for status, number, key_type in facts:
        factory.row(
            StatusFact(
                bst_date=date(2017, 3, 31),
                template_id=new_id(),
                service_id=service.id,
                job_id=new_id(),
                notification_type="email",
                key_type=key_type,
                notification_status=status,
                notification_count=number,
            )
        )
    path = "/service/monthly-data-by-service"
    march = {"start_date": "2017-03-01", "end_date": "2017-03-31"}
    assert admin.get(path, march) == [["2017-03-01", str(service.id), service.name, "email", 3, 4, 8, 0, 0, 0]]
    assert admin.get(path, march | {"end_date": "2017-03-30"}) == []


def test_periods_that_are_none(admin: AdminClient) -> None:
    path = "/service/monthly-data-by-service"
    wrong = admin.get(path, {"start_date": "soon", "end_date": "2015-02-01"}, status=404)
    assert wrong["message"] == "No result found"
    assert sorted(admin.get(path, status=400)["message"]) == ["end_date", "start_date"]
    assert admin.get(path, {"start_date": "2015-1-1", "end_date": "2015-2-28"}) == []
    admin.get(path, {"start_date": "20150101", "end_date": "2015-02-29"}, status=404)
