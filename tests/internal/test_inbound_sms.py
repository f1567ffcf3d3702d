"""Texts that a service received, as the admin app shows them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from notify.inbound.models import CONTENT, InboundText
from notify.infra.ids import new_id
from notify.infra.times import local_date, local_midnight, utc_now
from notify.messages.models import TO, Notification
from notify.services.inbound_numbers import assign_inbound_number, insert_inbound_numbers, number_of_service
from notify.services.models import Service
from notify.services.permissions import add_permission
from tests.internal.admin import AdminClient, Factory, schema_faults

ANN, BO = "447700900001", "447700900002"


def noon(days_ago: int) -> datetime:
    return local_midnight(local_date(utc_now()) - timedelta(days=days_ago)) + timedelta(hours=12)


def receive(factory: Factory, service: Service, content: str, sender: str, created_at: datetime) -> str:
    id_ = new_id()
    encrypted = factory.parts.encryptor.encrypt(content, CONTENT, id_)
    row = InboundText(
        id=id_,
        service_id=service.id,
        notify_number="07700900789",
        user_number=sender,
        content=encrypted,
        created_at=created_at,
        provider="mmg",
    )
    return str(factory.row(row).id)


@pytest.fixture
def path(factory: Factory, service: Service) -> str:
    """The path of a service's texts, after some came (examples-statistics 7)."""
    for content, sender, days_ago in (
        ("eight", BO, 8),
        ("seven", ANN, 7),
        ("four", "447700900003", 4),
        ("three", BO, 3),
        ("one", ANN, 1),
    ):
        receive(factory, service, content, sender, noon(days_ago))
    return f"/service/{service.id}/inbound-sms"


def contents(answer: Any) -> list[str]:
    return [text["content"] for text in answer["data"]]


def test_texts_within_the_retention_newest_first(admin: AdminClient, service: Service, path: str) -> None:
    assert contents(admin.post(path, {})) == ["one", "three", "four", "seven"]
    assert contents(admin.post(path, {"phone_number": ""})) == ["one", "three", "four", "seven"]
    assert contents(admin.post(path, {"phone_number": "07700 900002"})) == ["three"]
    assert contents(admin.post(path, {"phone_number": "Nobody"})) == []
    assert contents(admin.get(f"{path}/most-recent")) == ["one", "three", "four"]
    summary = {"count": 4, "most_recent": noon(1).replace(tzinfo=None).isoformat()}
    assert admin.get(f"{path}/summary") == summary
    body = {"notification_type": "sms", "days_of_retention": 3}
    admin.post(f"/service/{service.id}/data-retention", body, status=201)
    assert contents(admin.post(path, {})) == ["one", "three"]
    assert contents(admin.get(f"{path}/most-recent")) == ["one", "three"]
    assert admin.get(f"{path}/summary") == summary


def test_a_service_sees_its_own_texts(admin: AdminClient, factory: Factory, path: str) -> None:
    text = admin.post(path, {})["data"][0]
    assert admin.get(f"{path}/{text['id']}") == text
    other = f"/service/{factory.service().id}/inbound-sms"
    admin.get(f"{other}/{text['id']}", status=404)
    assert admin.post(other, {}) == {"data": []}
    assert admin.get(f"{other}/most-recent") == {"data": [], "has_next": False}
    assert admin.get(f"{other}/summary") == {"count": 0, "most_recent": None}


def test_pages_of_the_newest_texts(admin: AdminClient, factory: Factory, service: Service) -> None:
    path = f"/service/{service.id}/inbound-sms/most-recent"
    for number in range(51):
        receive(factory, service, str(number), f"4477009{number:05}", utc_now())
    first, second = admin.get(path), admin.get(path, {"page": 2})
    assert (first["has_next"], second["has_next"]) == (True, False)
    assert contents(first) + contents(second) == [str(number) for number in range(50, -1, -1)]
    for wrong in (0, 3, -1, 10**17):
        admin.get(path, {"page": wrong}, status=404)
    admin.get(path, {"page": "two"}, status=400)


def test_a_number_was_used_when_a_text_came_or_went(admin: AdminClient, factory: Factory, service: Service) -> None:
    path = f"/service/{service.id}/inbound-sms/most-recent-usage"
    assert admin.get(path, status=404) == {"message": "inbound not found"}
    number = f"077{str(uuid4().int)[:8]}"
    with admin.parts.database.transaction() as session:
        insert_inbound_numbers(session, [number])
        assign_inbound_number(session, service.id)
        found = number_of_service(session, service.id)
        assert found is not None
        number = found.number
    assert admin.get(path) == {"most_recent_date": None}
    receive(factory, service, "x", ANN, datetime.fromisoformat("2026-01-02T03:04:05+00:00"))
    assert admin.get(path)["most_recent_date"] == "Fri, 02 Jan 2026 03:04:05 GMT"
    id_ = new_id()
    message = Notification(
        id=id_,
        to=factory.parts.encryptor.encrypt("07900900123", TO, id_),
        service_id=service.id,
        template_id=uuid4(),
        template_version=1,
        key_type="normal",
        notification_type="sms",
        created_at=datetime.fromisoformat("2026-02-02T03:04:05+00:00"),
        reply_to_text=f"44{number[1:]}",
    )
    factory.row(message)
    assert admin.get(path)["most_recent_date"] == "Mon, 02 Feb 2026 03:04:05 GMT"


def test_a_number_is_given_back(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/inbound-sms/remove"
    with admin.parts.database.transaction() as session:
        insert_inbound_numbers(session, [f"077{str(uuid4().int)[:8]}"])
        assign_inbound_number(session, service.id)
        add_permission(session, service.id, "inbound_sms")
    assert schema_faults(admin.post(path, {}, status=400)) == ["archive is a required property"]
    faults = schema_faults(admin.post(path, {"archive": "yes", "force": True}, status=400))
    assert "archive yes is not of type boolean" in faults
    for _ in range(2):
        assert admin.post(path, {"archive": True}) == {}
    assert admin.get(f"/inbound-number/service/{service.id}") == {"data": {}}
    senders = admin.get(f"/service/{service.id}/sms-sender")
    assert [(sender["sms_sender"], sender["is_default"]) for sender in senders] == [("development", True)]
    assert "inbound_sms" not in admin.get(f"/service/{service.id}")["data"]["permissions"]
    assert admin.post(f"/service/{uuid4()}/inbound-sms/remove", {"archive": False}) == {}
