"""Fixtures: a service with jobs, with real database, cache, queue and object store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from notify.infra.container import Container
from notify.infra.ids import new_public_id
from notify.infra.objects import Details
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.jobs.actions import create_job
from notify.jobs.files import JobFiles
from notify.jobs.models import Job
from notify.messages.details import MessageDetails, read_details
from notify.messages.models import Notification
from notify.services.models import Service
from notify.templates.models import Template
from tests.conftest import fresh_parts
from tests.internal.admin import Factory


@dataclass
class Office:
    """Puts files where the admin app does, and makes jobs of them."""

    container: Container
    factory: Factory

    @property
    def parts(self) -> Parts:
        return self.container.parts

    def service(self, **options: Any) -> Service:
        return self.factory.service(restricted=False, **options)

    def upload(self, template: Template, content: str | bytes, *, rows: int, **metadata: str) -> UUID:
        """A file that passed the checks; its id."""
        upload_id = new_public_id()
        known = {
            "original_file_name": "people.csv",
            "template_id": str(template.id),
            "notification_count": str(rows),
            "valid": "True",
        }
        bucket = self.parts.objects.bucket(self.parts.settings.s3_bucket_csv_upload)
        body = content.encode() if isinstance(content, str) else content
        bucket.put(f"service-{template.service_id}-notify/{upload_id}.csv", body, Details(known | metadata))
        return upload_id

    def job(
        self, template: Template, content: str | bytes, *, rows: int, scheduled_for: str | None = None, **metadata: str
    ) -> UUID:
        """A job of such a file; its id."""
        upload_id = self.upload(template, content, rows=rows, **metadata)
        given: dict[str, Any] = {"id": str(upload_id), "created_by": str(template.created_by_id)}
        if scheduled_for is not None:
            given["scheduled_for"] = scheduled_for
        with self.parts.database.transaction() as session:
            create_job(session, self.container.get(JobFiles), template.service_id, given, utc_now())
        return upload_id

    def change(self, job_id: UUID, **values: Any) -> None:
        with self.parts.database.transaction() as session:
            job = session.get_one(Job, job_id)
            for name, value in values.items():
                setattr(job, name, value)

    def look(self, job_id: UUID) -> Job:
        with self.parts.database.session() as session:
            return session.get_one(Job, job_id)

    def messages(self, job_id: UUID) -> list[MessageDetails]:
        """The messages of a job, in the order of its rows."""
        with self.parts.database.session() as session:
            ids = list(session.scalars(select(Notification.id).where(Notification.job_id == job_id)))
            found = read_details(session, self.parts.encryptor, ids)
        return sorted(found, key=lambda message: message.job_row_number or 0)

    def numbers(self, job_id: UUID) -> list[int | None]:
        return [message.job_row_number for message in self.messages(job_id)]

    def forget(self, job_id: UUID, rows: Sequence[int]) -> None:
        """Lose the messages of some rows."""
        with self.parts.database.transaction() as session:
            wanted = select(Notification).where(Notification.job_id == job_id, Notification.job_row_number.in_(rows))
            for message in session.scalars(wanted):
                session.delete(message)

    def age(self, message_id: UUID, created_at: datetime) -> None:
        with self.parts.database.transaction() as session:
            session.get_one(Notification, message_id).created_at = created_at


@pytest.fixture(scope="session")
def office(postgres_url: str, valkey_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("jobs")
    with fresh_parts(postgres_url, valkey_url, folder, notify_log_level="WARNING") as parts:
        container = Container(parts)
        yield Office(container, Factory(parts))
        container.close()
