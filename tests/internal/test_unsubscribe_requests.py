"""Unsubscribe requests, and their reports."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from notify.infra.ids import new_id
from notify.messages.models import TO, Notification, NotificationHistory
from notify.services.models import Service
from notify.templates.models import Template
from notify.unsubscribes.models import UnsubscribeRequest, UnsubscribeRequestReport
from tests.internal.admin import AdminClient, Factory, schema_faults


@pytest.fixture
def template(factory: Factory, service: Service) -> Template:
    return factory.template(service, "email", name="News")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def ask(
    factory: Factory, template: Template, address: str, moment: str, report: UUID | None = None, **fields: Any
) -> UUID:
    """A request that came at a moment; its id."""
    row = UnsubscribeRequest(
        notification_id=uuid4(),
        service_id=template.service_id,
        template_id=template.id,
        template_version=1,
        email_address=address,
        created_at=at(moment),
        unsubscribe_request_report_id=report,
    )
    for name, value in fields.items():
        setattr(row, name, value)
    return factory.row(row).id


def make_report(factory: Factory, service: Service, created_at: str, earliest: str, latest: str, **fields: Any) -> UUID:
    row = UnsubscribeRequestReport(
        service_id=service.id,
        created_at=at(created_at),
        earliest_timestamp=at(earliest),
        latest_timestamp=at(latest),
        **fields,
    )
    return factory.row(row).id


def test_the_summary_of_the_contract(
    admin: AdminClient, factory: Factory, service: Service, template: Template
) -> None:
    first = make_report(factory, service, "2026-05-30 23:30", "2026-05-01 10:00", "2026-05-02 10:00", count=2)
    done = at("2026-02-03 04:05:06")
    second = make_report(
        factory,
        service,
        "2026-02-01 12:00",
        "2026-01-01 10:00",
        "2026-01-02 10:00",
        count=5,
        processed_by_service_at=done,
    )
    make_report(factory, service, "2026-03-01 12:00", "2026-02-01 10:00", "2026-02-02 10:00", count=1)
    for address, moment, report in (
        ("ann", "2026-05-01 10:00", first),
        ("bo", "2026-05-02 10:00", first),
        ("cy", "2026-01-02 10:00", second),
        ("di", "2026-06-30 23:10", None),
        ("ed", "2026-07-01 08:00", None),
    ):
        ask(factory, template, f"{address}@example.com", moment, report)
    summary = admin.get(f"/service/{service.id}/unsubscribe-request-reports-summary")
    assert [(row["batch_id"], row["count"], row["will_be_archived_at"]) for row in summary] == [
        (None, 2, "2026-09-27T23:00:00.000000Z"),
        (str(first), 2, "2026-06-05T23:00:00.000000Z"),
        (str(second), 5, "2026-02-08T00:00:00.000000Z"),
    ]
    assert summary[0]["earliest_timestamp"] == "2026-06-30T23:10:00.000000Z"
    assert summary[0]["latest_timestamp"] == "2026-07-01T08:00:00.000000Z"
    assert [row["is_a_batched_report"] for row in summary] == [False, True, True]
    assert admin.get(f"/service/{service.id}/unsubscribe-request-statistics") == {
        "datetime_of_latest_unsubscribe_request": "Wed, 01 Jul 2026 08:00:00 GMT",
        "unsubscribe_requests_count": 4,
    }


def test_a_report_takes_what_it_shows(
    admin: AdminClient, factory: Factory, service: Service, template: Template
) -> None:
    base = f"/service/{service.id}"
    ask(factory, template, "a@example.com", "2026-05-01 10:00")
    ask(factory, template, "b@example.com", "2026-05-02 10:00")
    later = ask(factory, template, "c@example.com", "2026-05-02 10:00:01")
    key = f"service-{service.id}-unsubscribe-request-reports-summary"
    admin.parts.cache.set(key, "old", seconds=60)
    body = {"count": 2, "earliest_timestamp": "2026-05-01T10:00:00Z", "latest_timestamp": "2026-05-02T10:00:00+05:00"}
    report = admin.post(f"{base}/create-unsubscribe-request-report", body, status=201)["report_id"]
    assert admin.parts.cache.get(key) is None
    waiting, made = admin.get(f"{base}/unsubscribe-request-reports-summary")
    assert (waiting["count"], made["batch_id"], made["count"]) == (1, report, 2)
    path = f"{base}/process-unsubscribe-request-report/{report}"
    admin.post(path, {"report_has_been_processed": True}, status=204)
    statistics = f"{base}/unsubscribe-request-statistics"
    assert admin.get(statistics)["unsubscribe_requests_count"] == 1
    with admin.parts.database.transaction() as session:
        session.delete(session.get(UnsubscribeRequest, later))
    assert admin.get(statistics) == {
        "unsubscribe_requests_count": 0,
        "datetime_of_latest_unsubscribe_request": "Sat, 02 May 2026 10:00:00 GMT",
    }
    admin.post(path, {"report_has_been_processed": False}, status=204)
    assert admin.get(statistics)["unsubscribe_requests_count"] == 2


def test_a_report_lists_requests_whose_message_is_known(
    admin: AdminClient, factory: Factory, service: Service, template: Template
) -> None:
    report = make_report(factory, service, "2026-07-03 10:00", "2026-07-01 10:00", "2026-07-02 10:00", count=3)
    old, live = new_id(), new_id()
    common: dict[str, Any] = {
        "service_id": service.id,
        "template_id": template.id,
        "template_version": 1,
        "key_type": "normal",
        "notification_type": "email",
    }
    created = at("2026-06-01 10:00")
    factory.row(NotificationHistory(id=old, created_at=created, sent_at=created, **common))
    to = factory.parts.encryptor.encrypt("live@example.com", TO, live)
    factory.row(Notification(id=live, to=to, created_at=created, sent_at=at("2026-06-01 10:01"), **common))
    ask(factory, template, "old@example.com", "2026-07-01 10:00", report, notification_id=old)
    ask(factory, template, "live@example.com", "2026-07-02 10:00", report, notification_id=live)
    ask(factory, template, "gone@example.com", "2026-07-02 10:00", report)
    answer = admin.get(f"/service/{service.id}/unsubscribe-request-report/{report}")
    assert answer["earliest_timestamp"] == "Wed, 01 Jul 2026 10:00:00 GMT"
    assert [row["email_address"] for row in answer["unsubscribe_requests"]] == ["live@example.com", "old@example.com"]
    assert answer["unsubscribe_requests"][0] == {
        "email_address": "live@example.com",
        "template_name": "News",
        "original_file_name": "N/A",
        "template_sent_at": "2026-06-01 11:01:00",
        "unsubscribe_request_received_at": "2026-07-02 11:00:00",
    }
    other = f"/service/{factory.service().id}"
    assert admin.get(f"{other}/unsubscribe-request-report/{report}")["unsubscribe_requests"] == []
    body = {"report_has_been_processed": True}
    admin.post(f"{other}/process-unsubscribe-request-report/{report}", body, status=400)


def test_what_is_asked_wrongly(admin: AdminClient, service: Service) -> None:
    base, nothing = f"/service/{service.id}", uuid4()
    assert admin.get(f"{base}/unsubscribe-request-statistics") == {}
    create = f"{base}/create-unsubscribe-request-report"
    assert admin.post(create, {}, status=400)["message"] == {
        "summary_data": "summary data needed to create an unsubscribe request report is missing"
    }
    assert schema_faults(admin.post(create, {"count": 1}, status=400)) == [
        "earliest_timestamp is a required property",
        "latest_timestamp is a required property",
    ]
    process = f"{base}/process-unsubscribe-request-report/{nothing}"
    assert admin.post(process, {}, status=400)["message"] == {"marked_as_completed": "missing data for required field"}
    assert admin.post(process, {"report_has_been_processed": True}, status=400)["message"] == {
        "batch_id": f"No UnsubscribeRequestReport found for id:{nothing}"
    }
    report = admin.get(f"{base}/unsubscribe-request-report/{nothing}", status=400)
    assert report["message"] == f"No report available for {nothing}"
