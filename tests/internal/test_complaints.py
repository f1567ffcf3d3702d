from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from notify.messages.models import Complaint
from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory, schema_faults


@pytest.fixture
def complaints(factory: Factory, service: Service) -> list[Complaint]:
    """51 complaints of a summer's day of long ago, one a minute; the last is on the next local day."""
    moments = [datetime(2019, 7, 2, 22, 9 + number, tzinfo=UTC) for number in range(50)]
    moments.append(datetime(2019, 7, 2, 23, 0, tzinfo=UTC))
    return [
        factory.row(Complaint(service_id=service.id, notification_id=uuid4(), created_at=moment)) for moment in moments
    ]


def test_complaints_are_listed_newest_first_in_pages(
    admin: AdminClient, service: Service, complaints: list[Complaint]
) -> None:
    page = admin.get("/complaint", {"more": "kept"})
    assert len(page["complaints"]) == 50
    assert page["links"]["next"] == "/complaint?page=2&more=kept"
    newest = next(row for row in page["complaints"] if row["service_id"] == str(service.id))
    assert newest == {
        "id": str(complaints[-1].id),
        "notification_id": str(complaints[-1].notification_id),
        "service_id": str(service.id),
        "service_name": service.name,
        "ses_feedback_id": "None",
        "complaint_type": None,
        "complaint_date": None,
        "created_at": "2019-07-02T23:00:00.000000Z",
    }
    last = admin.get("/complaint", {"page": page["links"]["last"].split("=")[1].split("&")[0]})
    assert set(last["links"]) == {"prev"}
    assert admin.get("/complaint", {"page": 9999}, status=404)["message"].startswith("The requested URL was not found")


def test_pages_that_are_no_numbers(admin: AdminClient) -> None:
    refused = admin.get("/complaint", {"page": "two"}, status=400)
    assert schema_faults(refused) == ["page two is not of type integer"]
    assert admin.get("/complaint", {"page": "-1"}, status=404)


@pytest.mark.usefixtures("complaints")
def test_complaints_are_counted_by_local_days(admin: AdminClient) -> None:
    path = "/complaint/count-by-date-range"
    counts = {
        day: admin.get(path, {"start_date": f"2019-07-0{day}", "end_date": f"2019-07-0{day}"}) for day in (1, 2, 3)
    }
    assert counts[1] == 0
    assert counts[2] % 50 == 0
    assert counts[2] >= 50
    assert counts[3] >= 1
    assert admin.get(path) == 0


def test_days_that_are_none(admin: AdminClient) -> None:
    path = "/complaint/count-by-date-range"
    refused = admin.get(path, {"start_date": "2015-1-1", "end_date": "2015-13-01"}, status=400)
    assert schema_faults(refused) == ["start_date 2015-1-1 is not a date", "end_date month must be in 1..12"]
    assert admin.get(path, {"start_date": "0001-01-01", "end_date": "2015-01-01"}) == 0
    assert admin.get(path, {"start_date": "2015-01-01", "end_date": "9999-12-31"}, status=404)
