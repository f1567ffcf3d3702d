from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from notify.app import EXTENSION
from notify.infra.container import Container
from notify.infra.objects import Details
from notify.infra.times import utc_now
from notify.jobs.models import Job
from notify.jobs.tasks import process_job
from notify.messages.models import Notification
from notify.services.models import Service
from notify.templates.models import Template
from tests.api import queued
from tests.internal.admin import AdminClient, Factory

Upload = Callable[..., str]
TWO = b"phone number,name\n07700900401,Ann\n07700900402,Bo\n"


@pytest.fixture
def live(factory: Factory) -> Service:
    return factory.service(restricted=False)


@pytest.fixture
def template(factory: Factory, live: Service) -> Template:
    return factory.template(live)


@pytest.fixture
def upload(admin: AdminClient, live: Service, template: Template) -> Upload:
    """Puts a file where the admin app does; its id."""

    def put(content: bytes = TWO, **metadata: str) -> str:
        upload_id = str(uuid4())
        known = {
            "original_file_name": "people.csv",
            "template_id": str(template.id),
            "notification_count": "2",
            "valid": "True",
        } | metadata
        bucket = admin.parts.objects.bucket(admin.parts.settings.s3_bucket_csv_upload)
        details = Details({name: value for name, value in known.items() if value})
        bucket.put(f"service-{live.id}-notify/{upload_id}.csv", content, details)
        return upload_id

    return put


def create(admin: AdminClient, service: Service, job_id: str, *, status: int = 201, **more: Any) -> Any:
    body = {"id": job_id, "created_by": str(service.created_by_id)} | more
    return admin.post(f"/service/{service.id}/job", body, status=status)


def change(factory: Factory, job_id: str, **values: Any) -> None:
    with factory.parts.database.transaction() as session:
        job = session.get_one(Job, UUID(job_id))
        for name, value in values.items():
            setattr(job, name, value)


def process(admin: AdminClient, job_id: str) -> None:
    container: Container = admin.app.extensions[EXTENSION]
    process_job(container, job_id)


def test_a_job_is_created_once_and_published(admin: AdminClient, live: Service, upload: Upload) -> None:
    job_id = upload()
    queued(admin.parts)
    made = create(admin, live, job_id)["data"]
    assert (made["job_status"], made["notification_count"], made["statistics"]) == ("pending", 2, [])
    assert ("process-job", [job_id]) in queued(admin.parts)
    assert admin.get(f"/service/{live.id}/job/{job_id}")["data"] == made
    again = create(admin, live, job_id)["data"]
    assert again["created_at"] == made["created_at"]


def test_messages_of_a_job_are_listed_by_row(admin: AdminClient, live: Service, upload: Upload) -> None:
    job_id = upload()
    create(admin, live, job_id)
    process(admin, job_id)
    path = f"/service/{live.id}/job/{job_id}"
    listed = admin.get(f"{path}/notifications")
    assert [row["job_row_number"] for row in listed["notifications"]] == [0, 1]
    assert listed["total"] == 2
    page = admin.get(f"{path}/notifications", {"page_size": 1, "page": 2, "status": ["created", "sending"]})
    assert [row["job_row_number"] for row in page["notifications"]] == [1]
    assert page["links"] == {"prev": f"{path}/notifications?page=1&page_size=1&status=created"}
    rows = admin.get(f"{path}/notifications", {"format_for_csv": "False"})["notifications"]
    assert [(row["row_number"], row["recipient"], row["status"]) for row in rows] == [
        (1, "07700900401", "Sending"),
        (2, "07700900402", "Sending"),
    ]
    assert admin.get(path)["data"]["statistics"] == [{"status": "created", "count": 2}]
    assert admin.get(f"{path}/notification_count") == {"count": 2}
    other = uuid4()
    assert admin.get(f"/service/{other}/job/{job_id}/notifications")["notifications"] == []
    admin.get(f"/service/{other}/job/{job_id}/notification_count", status=404)
    admin.get(f"{path}/notifications", {"page": 9}, status=404)


@pytest.mark.parametrize(
    ("metadata", "status", "message"),
    [
        ({"valid": "true"}, 400, "File is not valid, can't create job"),
        ({"valid": ""}, 400, "File is not valid, can't create job"),
        ({"template_id": str(uuid4())}, 404, "No result found"),
        ({"template_id": "first"}, 404, "No result found"),
        ({"template_id": ""}, 400, {"template_id": ["Missing data for required field."]}),
        ({"notification_count": "two"}, 400, {"notification_count": ["Not a valid integer."]}),
        ({"original_file_name": ""}, 400, {"original_file_name": ["Missing data for required field."]}),
    ],
)
def test_files_that_make_no_job(
    admin: AdminClient, live: Service, upload: Upload, metadata: dict[str, str], status: int, message: Any
) -> None:
    assert create(admin, live, upload(**metadata), status=status) == {"result": "error", "message": message}


def test_a_template_of_another_service_is_none(
    admin: AdminClient, factory: Factory, live: Service, upload: Upload
) -> None:
    theirs = factory.template(factory.service())
    create(admin, live, upload(template_id=str(theirs.id)), status=404)


@pytest.mark.parametrize("job_id", ["first", "0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", None, 1, [], "../../x"])
def test_ids_without_a_file(admin: AdminClient, live: Service, job_id: Any) -> None:
    assert "id" in create(admin, live, job_id, status=400)["message"]


@pytest.mark.parametrize(
    ("moment", "fault"),
    [
        ("soon", "Not a valid datetime."),
        ("", "Not a valid datetime."),
        (12, "Not a valid datetime."),
        ("2016-01-01T10:00:00", "Date cannot be in the past"),
        ("2099-01-01 10:00", "Date cannot be more than 7 days in the future"),
    ],
)
def test_times_that_cannot_be(admin: AdminClient, live: Service, upload: Upload, moment: Any, fault: str) -> None:
    answer = create(admin, live, upload(), status=400, scheduled_for=moment)
    assert answer["message"] == {"scheduled_for": [fault]}


def test_a_scheduled_job_can_be_cancelled_once(
    admin: AdminClient, factory: Factory, live: Service, upload: Upload
) -> None:
    job_id = upload()
    moment = (utc_now() + timedelta(hours=2)).replace(microsecond=0, tzinfo=None)
    queued(admin.parts)
    made = create(admin, live, job_id, scheduled_for=f"{moment:%Y-%m-%d %H:%M:%S}")["data"]
    assert (made["job_status"], made["scheduled_for"]) == ("scheduled", f"{moment.isoformat()}.000000Z")
    assert "process-job" not in str(queued(admin.parts))
    stats = admin.get(f"/service/{live.id}/job/scheduled-job-stats")
    assert stats == {"count": 1, "soonest_scheduled_for": f"{moment.isoformat()}+00:00"}
    change(factory, job_id, scheduled_for=utc_now() - timedelta(minutes=1))
    admin.post(f"/service/{uuid4()}/job/{job_id}/cancel", {}, status=404)
    assert admin.post(f"/service/{live.id}/job/{job_id}/cancel", {})["data"]["job_status"] == "cancelled"
    admin.post(f"/service/{live.id}/job/{job_id}/cancel", {}, status=404)
    process(admin, job_id)
    assert admin.get(f"/service/{live.id}/job/{job_id}/notification_count") == {"count": 0}


def test_jobs_are_listed_with_their_numbers(
    admin: AdminClient, factory: Factory, live: Service, upload: Upload
) -> None:
    first, second, third = (upload() for _ in range(3))
    for job_id in (first, second, third, upload(original_file_name="Report")):
        create(admin, live, job_id)
    for job_id in (first, second):
        process(admin, job_id)
    change(factory, first, created_at=utc_now() - timedelta(days=3))
    path = f"/service/{live.id}/job"
    listed = admin.get(path)
    assert [job["id"] for job in listed["data"]] == [third, second, first]
    assert [job["statistics"] for job in listed["data"]] == [
        [],
        [{"status": "created", "count": 2}],
        [{"status": "created", "count": 2}],
    ]
    assert [job["id"] for job in admin.get(path, {"limit_days": 1})["data"]] == [third, second]
    assert [job["id"] for job in admin.get(path, {"statuses": "finished , lost"})["data"]] == [second, first]
    assert admin.get(path, {"limit_days": "1.5"}, status=400)["message"] == {"limit_days": ["1.5 is not an integer"]}
    admin.get(path, {"page": "x"}, status=400)
    admin.get(path, {"page": 0}, status=404)


def test_numbers_that_change_no_more_are_remembered(
    admin: AdminClient, factory: Factory, live: Service, upload: Upload
) -> None:
    job_id = upload()
    create(admin, live, job_id)
    process(admin, job_id)
    with admin.parts.database.transaction() as session:
        for message in session.query(Notification).where(Notification.job_id == UUID(job_id)):
            message.notification_status = "delivered"
    path = f"/service/{live.id}/job"
    assert admin.get(path)["data"][0]["statistics"] == [{"status": "delivered", "count": 2}]
    with admin.parts.database.transaction() as session:
        for message in session.query(Notification).where(Notification.job_id == UUID(job_id)):
            session.delete(message)
    assert admin.get(path)["data"][0]["statistics"] == [{"status": "delivered", "count": 2}]
    assert admin.get(f"{path}/{job_id}")["data"]["statistics"] == []


def test_letters_of_a_job_are_cancelled_together(
    admin: AdminClient, factory: Factory, live: Service, upload: Upload
) -> None:
    letter = factory.template(live, "letter")
    content = b"address line 1,address line 2,postcode,name\nAnn,1 Oak Street,NE1 1AA,Ann\nBo,2 Elm Street,NE1 1AA,Bo\n"
    job_id, texts = upload(content, template_id=str(letter.id)), upload()
    for each in (job_id, texts):
        create(admin, live, each)
        process(admin, each)
    path = f"/service/{live.id}/job/{job_id}/cancel-letter-job"
    assert admin.post(path, {}, status=400) == {
        "message": "We are still processing these letters, please try again in 5 minutes."
    }
    assert "not a letter job" in admin.post(path.replace(job_id, texts), {}, status=400)["message"]
    change(factory, job_id, job_status="finished all notifications created")
    assert admin.post(path, {}) == 2
    assert admin.get(f"/service/{live.id}/job/{job_id}")["data"]["statistics"] == [{"status": "cancelled", "count": 2}]
    change(factory, job_id, job_status="finished all notifications created", created_at=utc_now() - timedelta(days=2))
    assert "too late to cancel" in admin.post(path, {}, status=400)["message"]
