"""Deleting archived files of email templates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from notify.infra.objects import Bucket, ObjectMissingError
from notify.infra.parts import Parts
from notify.infra.versions import save_version
from notify.services.models import Service
from notify.templates import email_files
from notify.templates.actions import create_template
from notify.templates.maintenance import FileRemover
from notify.templates.models import EmailFile, Template
from tests.services.factory import a_service

NOW = datetime(2026, 7, 20, 4, 40, tzinfo=UTC)


def a_template(session: Session, service: Service) -> Template:
    return create_template(
        session,
        service_id=service.id,
        template_type="email",
        name="T",
        subject="S",
        content="C",
        created_by_id=service.created_by_id,
    )


def a_file(session: Session, template: Template, name: str, created_at: datetime = NOW, **fields: object) -> EmailFile:
    values = {"filename": name, "created_by_id": template.created_by_id, "created_at": created_at}
    file = email_files.create_file(session, template.service_id, template.id, values)
    for field, value in fields.items():
        setattr(file, field, value)
    session.flush()
    return file


def test_a_file_that_stays_pending_is_archived_after_a_day(session: Session) -> None:
    template = a_template(session, a_service(session))
    old = a_file(session, template, "old.pdf", NOW - timedelta(hours=24, minutes=1))
    new = a_file(session, template, "new.pdf", NOW - timedelta(hours=23, minutes=59))
    live = a_file(session, template, "live.pdf", NOW - timedelta(days=3), pending=False)
    save_version(session, template)
    assert email_files.archive_pending_files(session, now=NOW) == 1
    assert email_files.archive_pending_files(session, now=NOW) == 0
    for file in (old, new, live):
        session.refresh(file)
    assert (old.archived_at, old.archived_by_id, old.template_version) == (NOW, template.created_by_id, 2)
    assert (new.archived_at, live.archived_at) == (None, None)


class TestDeletion:
    @pytest.fixture
    def bucket(self, parts: Parts) -> Bucket:
        return parts.objects.bucket("files")

    def archived(self, parts: Parts, bucket: Bucket, ages: list[timedelta]) -> tuple[UUID, list[UUID]]:
        """Files that were archived so long ago, and their service."""
        with parts.database.transaction() as session:
            service = a_service(session)
            template = a_template(session, service)
            files = [
                a_file(session, template, f"{number}.pdf", archived_at=NOW - age).id for number, age in enumerate(ages)
            ]
        for file in files:
            bucket.put(f"{service.id}/{file}", b"x")
        return service.id, files

    def left(self, bucket: Bucket, service_id: UUID, files: list[UUID]) -> list[bool]:
        found = []
        for file in files:
            try:
                found.append(bucket.get(f"{service_id}/{file}") == b"x")
            except ObjectMissingError:
                found.append(False)
        return found

    def test_two_weeks_after_they_were_archived(self, parts: Parts, bucket: Bucket) -> None:
        service_id, files = self.archived(parts, bucket, [timedelta(days=days) for days in (1, 13, 15, 16, 18)])
        remover = FileRemover(parts.database, bucket)
        for _ in range(2):
            remover.remove(now=NOW)
            assert self.left(bucket, service_id, files) == [True, True, False, False, True]
        remover.remove(now=NOW, archived_after=date(2026, 7, 1))
        assert self.left(bucket, service_id, files) == [True, True, False, False, False]
        with pytest.raises(ValueError, match="archived_after"):
            remover.remove(now=NOW, archived_after=date(2026, 7, 10))

    def test_many_are_deleted_page_by_page(self, parts: Parts, bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("notify.templates.maintenance.PAGE", 2)
        service_id, files = self.archived(parts, bucket, [timedelta(days=15)] * 5)
        FileRemover(parts.database, bucket).remove(now=NOW)
        assert self.left(bucket, service_id, files) == [False] * 5
