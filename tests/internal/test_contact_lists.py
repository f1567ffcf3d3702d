from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from notify.infra.objects import ObjectMissingError
from notify.infra.times import utc_now
from notify.jobs.models import Job
from notify.services.models import DataRetention, Service
from tests.internal.admin import AdminClient, Factory, schema_faults


def body(service: Service, **changes: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "original_file_name": "staff.csv",
        "row_count": 3,
        "template_type": "sms",
        "created_by": str(service.created_by_id),
    } | changes


def test_a_contact_list_is_kept_listed_and_archived(admin: AdminClient, factory: Factory, service: Service) -> None:
    path = f"/service/{service.id}/contact-list"
    first = admin.post(path, body(service), status=201)
    second = admin.post(path, body(service, template_type="email"), status=201)
    assert admin.get(path) == [second, first]
    assert admin.get(f"{path}/{first['id']}") == first
    bucket = admin.parts.objects.bucket(admin.parts.settings.s3_bucket_contact_list)
    key = f"service-{service.id}-notify/{first['id']}.csv"
    bucket.put(key, b"phone number\n")
    admin.delete(f"/service/{factory.service().id}/contact-list/{first['id']}", status=404)
    assert bucket.get(key)
    assert admin.delete(f"{path}/{first['id']}", status=204) is None
    with pytest.raises(ObjectMissingError):
        bucket.get(key)
    admin.get(f"{path}/{first['id']}", status=404)
    admin.delete(f"{path}/{first['id']}", status=404)
    assert admin.get(path) == [second]


def test_jobs_of_a_contact_list_are_recent_within_the_retention(
    admin: AdminClient, factory: Factory, service: Service
) -> None:
    factory.row(DataRetention(service_id=service.id, notification_type="sms", days_of_retention=3))
    path = f"/service/{service.id}/contact-list"
    made = admin.post(path, body(service), status=201)
    assert (made["recent_job_count"], made["has_jobs"]) == (0, False)
    template = factory.template(service)
    for days in (2, 5):
        factory.row(
            Job(
                id=uuid4(),
                original_file_name="staff.csv",
                service_id=service.id,
                template_id=template.id,
                template_version=1,
                notification_count=1,
                created_at=utc_now() - timedelta(days=days),
                contact_list_id=made["id"],
            )
        )
    found = admin.get(f"{path}/{made['id']}")
    assert (found["recent_job_count"], found["has_jobs"]) == (1, True)


def test_wrong_bodies(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/contact-list"
    faults = schema_faults(admin.post(path, body(service, template_type="letter", row_count="3"), status=400))
    assert faults == ["row_count 3 is not of type integer", "template_type letter is not one of [email, sms]"]
    assert "Additional properties" in schema_faults(admin.post(path, body(service, more=1), status=400))[0]
    kept = body(service)
    admin.post(path, kept, status=201)
    admin.post(path, kept, status=409)
    admin.post(path, body(service, created_by=str(uuid4())), status=404)
    admin.post(path, body(service, row_count=2**40), status=404)
