from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from notify.infra.ids import new_id
from notify.infra.times import LONDON, utc_now
from notify.jobs.models import Job
from notify.messages.models import TO, Notification
from notify.services.models import Service
from notify.templates.models import Template
from tests.internal.admin import AdminClient, Factory


def a_job(factory: Factory, service: Service, template: Template, **columns: Any) -> Job:
    values = {
        "id": uuid4(),
        "original_file_name": "people.csv",
        "service_id": service.id,
        "template_id": template.id,
        "template_version": 1,
        "notification_count": 1,
    }
    return factory.row(Job(**(values | columns)))


def a_letter(admin: AdminClient, factory: Factory, template: Template, created_at: datetime, **columns: Any) -> str:
    id_ = new_id()
    values = {
        "id": id_,
        "to": admin.parts.encryptor.encrypt("Ann\n1 Oak Street\nNE1 1AA", TO, id_),
        "service_id": template.service_id,
        "template_id": template.id,
        "template_version": 1,
        "key_type": "normal",
        "notification_type": "letter",
        "created_at": created_at,
        "notification_status": "created",
        "international": False,
    }
    factory.row(Notification(**(values | columns)))
    return str(id_)


@pytest.fixture
def precompiled(factory: Factory, service: Service) -> Template:
    template = factory.template(service, "letter")
    with factory.parts.database.transaction() as session:
        found = session.get_one(Template, template.id)
        found.hidden = True
    return template


def test_jobs_are_listed_as_uploads(admin: AdminClient, factory: Factory, service: Service) -> None:
    template, now = factory.template(service), utc_now()
    started = a_job(factory, service, template, processing_started=now - timedelta(hours=1), job_status="finished")
    waiting = a_job(factory, service, template)
    a_job(factory, service, template, job_status="scheduled", scheduled_for=now + timedelta(hours=1))
    a_job(factory, service, template, job_status="cancelled")
    a_job(factory, service, template, original_file_name="Test message")
    a_job(factory, service, template, created_at=now - timedelta(days=9))
    path = f"/service/{service.id}/upload"
    listed = admin.get(path)
    assert [row["id"] for row in listed["data"]] == [str(waiting.id), str(started.id)]
    assert (listed["total"], listed["page_size"], listed["links"]) == (2, 50, {})
    row = listed["data"][0]
    assert row["created_at"] == f"{waiting.created_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    assert (row["upload_type"], row["recipient"], row["statistics"]) == ("job", None, [])
    assert admin.get(path, {"limit_days": "week"})["total"] == 2
    admin.get(path, {"page": "first"}, status=404)
    admin.get(path, {"page": 2}, status=404)


def test_letters_belong_to_the_day_they_are_printed(
    admin: AdminClient, factory: Factory, service: Service, precompiled: Template
) -> None:
    today = utc_now().astimezone(LONDON).date()
    deadline = datetime.combine(today - timedelta(days=1), datetime.min.time(), LONDON).replace(hour=17, minute=30)
    before, after = (
        a_letter(admin, factory, precompiled, deadline + age) for age in (timedelta(seconds=-1), timedelta(0))
    )
    a_letter(admin, factory, precompiled, deadline, notification_status="cancelled")
    a_letter(admin, factory, precompiled, deadline, api_key_id=uuid4())
    a_letter(admin, factory, precompiled, deadline, job_id=uuid4(), job_row_number=1)
    path = f"/service/{service.id}/upload"
    days = admin.get(path)["data"]
    assert [(row["id"], row["notification_count"], row["upload_type"]) for row in days] == [
        (None, 1, "letter_day"),
        (None, 1, "letter_day"),
    ]
    assert days[1]["created_at"] == f"{deadline.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    for day, letter in ((today - timedelta(days=1), before), (today, after)):
        found = admin.get(f"{path}/uploaded-letters/{day}")
        assert [row["id"] for row in found["notifications"]] == [letter]
        assert found["total"] == 1


@pytest.mark.parametrize("day", ["2026-02-30", "today", "2026-1", "99999-01-01"])
def test_days_that_are_none(admin: AdminClient, service: Service, day: str) -> None:
    admin.get(f"/service/{service.id}/upload/uploaded-letters/{day}", status=400)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_days_far_away(admin: AdminClient, service: Service, day: str) -> None:
    assert admin.get(f"/service/{service.id}/upload/uploaded-letters/{day}")["notifications"] == []
