"""Variations of what was recorded: wrong types, edges of pages, ids of other services (contract: internal-jobs 1 to 4,
internal-services 10 to 16, internal-users-orgs-templates 8).
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from notify.infra.objects import Details
from notify.services.models import Service
from notify.templates.models import Template
from tests.internal.admin import AdminClient, Factory

NO_PAGE = (
    "The requested URL was not found on the server. If you entered the URL manually please check your spelling and "
    "try again."
)
MALFORMED = "The browser (or proxy) sent a request that this server could not understand."
HUGE = ("9223372036854775807", "1" + "0" * 30)


@pytest.fixture
def live(factory: Factory) -> Service:
    return factory.service(restricted=False)


@pytest.fixture
def text(factory: Factory, live: Service) -> Template:
    return factory.template(live)


def refusal(admin: AdminClient, method: str, path: str, **given: Any) -> tuple[int, Any]:
    answer = admin.call(method, path, **given)
    body = answer.get_json()
    return answer.status_code, body["errors"][0]["message"] if "errors" in body else body["message"]


@pytest.mark.parametrize("page", ["0", "-1", *HUGE])
def test_pages_that_are_not_there(admin: AdminClient, live: Service, page: str) -> None:
    for path in ("job", "upload", "upload/uploaded-letters/2026-03-29"):
        assert refusal(admin, "GET", f"/service/{live.id}/{path}", query={"page": page}) == (404, NO_PAGE), path


@pytest.mark.parametrize("page", ["", "abc", "1.5"])
def test_pages_that_are_no_numbers(admin: AdminClient, live: Service, page: str) -> None:
    not_a_number = {"page": ["Not a valid integer."]}
    for path, expected in (
        ("job", (400, not_a_number)),
        (f"job/{uuid4()}/notifications", (400, not_a_number)),
        ("notifications", (400, not_a_number)),
        ("notifications/csv", (400, not_a_number)),
        ("upload", (404, NO_PAGE)),
        ("upload/uploaded-letters/2026-03-29", (404, NO_PAGE)),
    ):
        assert refusal(admin, "GET", f"/service/{live.id}/{path}", query={"page": page}) == expected, path


@pytest.mark.parametrize("size", ["0", "-1"])
def test_pages_of_no_size(admin: AdminClient, live: Service, size: str) -> None:
    for path in (f"job/{uuid4()}/notifications", "notifications", "notifications/csv"):
        found = refusal(admin, "GET", f"/service/{live.id}/{path}", query={"page_size": size})
        assert found == (400, {"page_size": ["Not a positive integer"]}), path


@pytest.mark.parametrize("days", ["0", "-1", "999999", *HUGE])
def test_any_number_of_days(admin: AdminClient, live: Service, days: str) -> None:
    for path in ("job", "upload", "notifications", "notifications/csv", "notifications/count"):
        assert admin.call("GET", f"/service/{live.id}/{path}", query={"limit_days": days}).status_code == 200, path


@pytest.mark.parametrize("day", ["2026-02-30", "x", "2026-03-29T00:00", "29-03-2026"])
def test_print_days_that_are_none(admin: AdminClient, live: Service, day: str) -> None:
    assert refusal(admin, "GET", f"/service/{live.id}/upload/uploaded-letters/{day}") == (400, MALFORMED)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2026-03-29", "2026-10-25"])
def test_print_days_at_the_edges(admin: AdminClient, live: Service, day: str) -> None:
    assert admin.get(f"/service/{live.id}/upload/uploaded-letters/{day}")["total"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"template_type": "letter"}, "template_type letter is not one of [email, sms]"),
        ({"row_count": "3"}, "row_count 3 is not of type integer"),
        ({"row_count": None}, "row_count None is not of type integer"),
        ({"id": "x"}, "id is not a valid UUID"),
        ({"original_file_name": 5}, "original_file_name 5 is not of type string"),
    ],
)
def test_a_contact_list_with_wrong_values(
    admin: AdminClient, live: Service, changes: dict[str, Any], message: str
) -> None:
    body = {
        "id": str(uuid4()),
        "original_file_name": "people.csv",
        "row_count": 3,
        "template_type": "sms",
        "created_by": str(live.created_by_id),
    }
    assert refusal(admin, "POST", f"/service/{live.id}/contact-list", body=body | changes) == (400, message)
    assert admin.get(f"/service/{live.id}/contact-list") == []


def upload(admin: AdminClient, template: Template, **metadata: str) -> str:
    id_ = str(uuid4())
    known = {"original_file_name": "p.csv", "template_id": str(template.id), "notification_count": "1", "valid": "True"}
    bucket = admin.parts.objects.bucket(admin.parts.settings.s3_bucket_csv_upload)
    content = b"phone number,name\n07700900123,Ann"
    bucket.put(f"service-{template.service_id}-notify/{id_}.csv", content, Details(known | metadata))
    return id_


@pytest.mark.parametrize(
    ("metadata", "changes", "message"),
    [
        ({"valid": "true"}, {}, "File is not valid, can't create job"),
        ({"notification_count": "x"}, {}, {"notification_count": ["Not a valid integer."]}),
        ({}, {"scheduled_for": "x"}, {"scheduled_for": ["Not a valid datetime."]}),
        ({}, {"scheduled_for": 5}, {"scheduled_for": ["Not a valid datetime."]}),
        ({}, {"scheduled_for": "2020-06-01T12:00:00"}, {"scheduled_for": ["Date cannot be in the past"]}),
        (
            {},
            {"scheduled_for": "2999-01-01T12:00:00"},
            {"scheduled_for": ["Date cannot be more than 7 days in the future"]},
        ),
        ({}, {"created_by": None}, None),
    ],
)
def test_a_job_with_wrong_values(
    admin: AdminClient, text: Template, metadata: dict[str, str], changes: dict[str, Any], message: Any
) -> None:
    path = f"/service/{text.service_id}/job"
    body = {"id": upload(admin, text, **metadata), "created_by": str(text.created_by_id)} | changes
    status, found = refusal(admin, "POST", path, body=body)
    assert status == 400
    assert message is None or found == message
    assert admin.get(path)["data"] == []


def test_what_belongs_to_another_service_is_not_there(
    admin: AdminClient, factory: Factory, live: Service, text: Template
) -> None:
    other = factory.service(restricted=False)
    body = {"id": upload(admin, text), "created_by": str(text.created_by_id)}
    job = admin.post(f"/service/{live.id}/job", body, status=201)["data"]["id"]
    contacts = admin.post(
        f"/service/{live.id}/contact-list",
        {
            "id": str(uuid4()),
            "original_file_name": "people.csv",
            "row_count": 3,
            "template_type": "sms",
            "created_by": str(live.created_by_id),
        },
        status=201,
    )["id"]
    report = admin.post(
        f"/service/{live.id}/report-request",
        {
            "user_id": str(live.created_by_id),
            "report_type": "notifications_report",
            "notification_type": "sms",
            "notification_status": "all",
        },
        status=201,
    )["data"]["id"]
    message = {"template_id": str(text.id), "to": "07900900123", "created_by": str(live.created_by_id)}
    sent = admin.post(
        f"/service/{live.id}/send-notification", message | {"personalisation": {"name": "Ann"}}, status=201
    )["id"]
    for method, path in (
        ("GET", f"job/{job}"),
        ("GET", f"job/{job}/notification_count"),
        ("POST", f"job/{job}/cancel"),
        ("POST", f"job/{job}/cancel-letter-job"),
        ("GET", f"contact-list/{contacts}"),
        ("DELETE", f"contact-list/{contacts}"),
        ("GET", f"report-request/{report}"),
        ("GET", f"notifications/{sent}"),
        ("POST", f"notifications/{sent}/cancel"),
    ):
        assert admin.call(method, f"/service/{other.id}/{path}").status_code == 404, path
        if method == "GET":
            assert admin.call(method, f"/service/{live.id}/{path}").status_code == 200, path
    assert admin.get(f"/service/{other.id}/job/{job}/notifications")["notifications"] == []
    assert admin.post(f"/service/{other.id}/send-notification", message, status=404)["message"] == "No result found"
    assert admin.get(f"/service/{other.id}/upload")["data"] == []
    assert len(admin.get(f"/service/{live.id}/contact-list")) == 1
