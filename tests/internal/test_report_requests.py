from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from notify.app import EXTENSION
from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.objects import ObjectMissingError
from notify.infra.secrets import UndecipherableError
from notify.infra.times import utc_now
from notify.jobs import reports
from notify.jobs.models import ReportRequest
from notify.jobs.reports import ReportWriter
from notify.jobs.tasks import process_report_request, update_report_status_to_deleted
from notify.messages.models import TO, Notification
from notify.services.models import Service
from tests.api import queued
from tests.internal.admin import AdminClient, Factory, schema_faults


def ask(admin: AdminClient, service: Service, *, status: int = 201, **changes: Any) -> Any:
    body = {
        "user_id": str(service.created_by_id),
        "report_type": "notifications_report",
        "notification_type": "sms",
        "notification_status": "all",
    } | changes
    sent = {name: value for name, value in body.items() if value is not None}
    return admin.post(f"/service/{service.id}/report-request?report_type=x", sent, status=status)


def sent(admin: AdminClient, factory: Factory, service: Service, recipient: str, status: str, **columns: Any) -> None:
    id_ = new_id()
    template = factory.template(service)
    values: dict[str, Any] = {
        "id": id_,
        "to": admin.parts.encryptor.encrypt(recipient, TO, id_),
        "service_id": service.id,
        "template_id": template.id,
        "template_version": 1,
        "key_type": "normal",
        "notification_type": "sms",
        "created_at": utc_now(),
        "notification_status": status,
        "international": False,
    }
    factory.row(Notification(**(values | columns)))


def rows(admin: AdminClient, request_id: str) -> list[list[str]]:
    bucket = admin.parts.objects.bucket(admin.parts.settings.s3_bucket_report_requests_download)
    return list(csv.reader(io.StringIO(bucket.get(f"notifications_report/{request_id}.csv").decode(), newline="")))


def test_a_report_has_the_messages_of_its_group(
    admin: AdminClient, factory: Factory, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "ROWS_AT_A_TIME", 2)
    now = utc_now()
    for number, status in enumerate(["created", "delivered", "permanent-failure", "returned-letter", "sending"]):
        sent(admin, factory, service, f"0770090000{number}", status, created_at=now - timedelta(minutes=number))
    sent(admin, factory, service, "test", "delivered", key_type="test")
    sent(admin, factory, service, "old", "delivered", created_at=now - timedelta(days=9))
    sent(admin, factory, service, "email", "delivered", notification_type="email")
    wanted = {
        "all": ["07700900000", "07700900001", "07700900002", "07700900003", "07700900004"],
        "sending": ["07700900000", "07700900004"],
        "delivered": ["07700900001", "07700900003"],
        "failed": ["07700900002", "07700900003"],
    }
    container: Container = admin.app.extensions[EXTENSION]
    for group, recipients in wanted.items():
        queued(admin.parts)
        made = ask(admin, service, notification_status=group)["data"]
        ((_, arguments),) = [found for found in queued(admin.parts) if found[0] == "process-report-request"]
        process_report_request(container, *arguments)
        process_report_request(container, *arguments)
        assert admin.get(f"/service/{service.id}/report-request/{made['id']}")["data"]["status"] == "stored"
        found = rows(admin, made["id"])
        assert found[0] == list(reports.HEADER)
        assert [row[0] for row in found[1:]] == recipients


def test_values_are_as_people_read_them(admin: AdminClient, factory: Factory, service: Service) -> None:
    moment = utc_now().replace(microsecond=0)
    sent(
        admin,
        factory,
        service,
        " Ann Ash ,\n1 Oak Street",
        "temporary-failure",
        client_reference='a, "b"',
        created_by_id=service.created_by_id,
        created_at=moment,
    )
    made = ask(admin, service)["data"]
    container: Container = admin.app.extensions[EXTENSION]
    container.get(ReportWriter).process(service.id, UUID(made["id"]))
    (row,) = rows(admin, made["id"])[1:]
    assert (row[0], row[1], row[3], row[7]) == ("Ann Ash", 'a, "b"', "sms", "Phone not accepting messages right now")
    assert "@" in row[5]
    assert (row[6], row[9]) == ("", "")


def test_the_same_report_is_made_once_at_a_time(admin: AdminClient, factory: Factory, service: Service) -> None:
    first = ask(admin, service)["data"]
    queued(admin.parts)
    assert ask(admin, service, status=200)["data"] == first
    assert "process-report-request" not in str(queued(admin.parts))
    assert ask(admin, service, notification_type="email")["data"]["id"] != first["id"]
    with admin.parts.database.transaction() as session:
        session.get_one(ReportRequest, UUID(first["id"])).created_at = utc_now() - timedelta(minutes=31)
    assert ask(admin, service)["data"]["id"] != first["id"]


def test_a_report_that_fails_leaves_no_file(admin: AdminClient, factory: Factory, service: Service) -> None:
    sent(admin, factory, service, "x", "delivered", to=b"no cipher text")
    made = ask(admin, service)["data"]
    container: Container = admin.app.extensions[EXTENSION]
    with pytest.raises(UndecipherableError):
        process_report_request(container, str(service.id), made["id"])
    assert admin.get(f"/service/{service.id}/report-request/{made['id']}")["data"]["status"] == "failed"
    with pytest.raises(ObjectMissingError):
        rows(admin, made["id"])


def test_reports_go_after_a_day(admin: AdminClient, service: Service) -> None:
    made = ask(admin, service)["data"]
    container: Container = admin.app.extensions[EXTENSION]
    process_report_request(container, str(service.id), made["id"])
    update_report_status_to_deleted(container)
    assert rows(admin, made["id"])
    with admin.parts.database.transaction() as session:
        session.get_one(ReportRequest, UUID(made["id"])).created_at = utc_now() - timedelta(hours=25)
    update_report_status_to_deleted(container)
    admin.get(f"/service/{service.id}/report-request/{made['id']}", status=404)
    with pytest.raises(ObjectMissingError):
        rows(admin, made["id"])


def test_wrong_requests(admin: AdminClient, service: Service) -> None:
    ask(admin, service, status=400, notification_type=None)
    ask(admin, service, status=404, user_id=str(uuid4()))
    for value, text in (("me", "badly formed hexadecimal UUID string"), (7, "7 is not of type string")):
        assert schema_faults(ask(admin, service, status=400, user_id=value)) == [f"user_id {text}"]
    admin.get(f"/service/{service.id}/report-request/{uuid4()}", status=404)
