from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory, schema_faults

PATHS = {
    "delivery-receipt-api": ("delivery_status", "Service delivery receipt callback API not found"),
    "inbound-api": ("inbound_sms", "Service inbound API not found"),
}


def _new(service: Service, **fields: Any) -> dict[str, Any]:
    values = {
        "url": "https://hooks.example.gov.uk/",
        "bearer_token": "a long token",
        "updated_by_id": str(service.created_by_id),
    }
    return values | fields


@pytest.fixture(params=list(PATHS))
def path(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_callback_of_2020_is_one_of_today(admin: AdminClient, service: Service, path: str) -> None:
    made = admin.post(f"/service/{service.id}/{path}", _new(service), status=201)["data"]
    assert sorted(made) == ["created_at", "id", "service_id", "updated_at", "updated_by_id", "url"]
    kind, _ = PATHS[path]
    assert admin.get(f"/service/{service.id}/callback-api/{made['id']}", {"callback_type": kind})["data"] == made
    assert admin.get(f"/service/{service.id}/{path}/{made['id']}")["data"] == made


def test_a_change_of_nothing_is_a_change(admin: AdminClient, service: Service, path: str) -> None:
    whole = f"/service/{service.id}/{path}"
    made = admin.post(whole, _new(service), status=201)["data"]
    changed = admin.post(f"{whole}/{made['id']}", {"updated_by_id": str(service.created_by_id)})["data"]
    assert changed["updated_at"] is not None
    assert changed["url"] == made["url"]


def test_a_service_has_one_of_a_type(admin: AdminClient, service: Service, path: str) -> None:
    admin.post(f"/service/{service.id}/{path}", _new(service), status=201)
    refused = admin.post(f"/service/{service.id}/{path}", _new(service), status=400)
    assert refused["message"] == {"name": ["You can only have one URL and bearer token for your service."]}


def test_what_is_not_there_is_not_found(admin: AdminClient, factory: Factory, service: Service, path: str) -> None:
    _, text = PATHS[path]
    made = admin.post(f"/service/{service.id}/{path}", _new(service), status=201)["data"]
    other_type = next(name for name in PATHS if name != path)
    elsewhere = (
        f"/service/{factory.service().id}/{path}/{made['id']}",
        f"/service/{uuid4()}/{path}/{made['id']}",
        f"/service/{service.id}/{path}/{uuid4()}",
    )
    for wrong in elsewhere:
        assert admin.get(wrong, status=404)["message"] == text
        assert admin.delete(wrong, status=404)["message"] == text
        assert admin.post(wrong, {"updated_by_id": str(service.created_by_id)}, status=404)["message"] == text
    assert admin.get(f"/service/{service.id}/{other_type}/{made['id']}", status=404)["message"] == PATHS[other_type][1]
    assert admin.post(f"/service/{uuid4()}/{path}", _new(service), status=404)["message"] == "No result found"
    nobody = _new(service, updated_by_id=str(uuid4()))
    assert admin.post(f"/service/{factory.service().id}/{path}", nobody, status=404)["message"] == "No result found"
    assert admin.get(f"/service/{service.id}/{path}/{made['id']}")["data"] == made


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"url": "http://hooks.example.gov.uk"}, ["url is not a valid https url"]),
        ({"url": None}, ["url is not a valid https url"]),
        ({"bearer_token": "short"}, ["bearer_token short is too short"]),
        ({"bearer_token": 1234567890}, ["bearer_token 1234567890 is not of type string"]),
        ({"updated_by_id": "me"}, ["updated_by_id is not a valid UUID"]),
    ],
)
def test_faults(admin: AdminClient, service: Service, path: str, changes: Any, faults: list[str]) -> None:
    whole = f"/service/{service.id}/{path}"
    assert schema_faults(admin.post(whole, _new(service, **changes), status=400)) == faults
    made = admin.post(whole, _new(service, unknown="ignored"), status=201)["data"]
    changed = {"updated_by_id": str(service.created_by_id)} | changes
    assert schema_faults(admin.post(f"{whole}/{made['id']}", changed, status=400)) == faults
    assert admin.get(f"{whole}/{made['id']}")["data"]["updated_at"] is None
    assert admin.call("POST", whole, raw="{").status_code == 400


def test_a_deleted_one_can_be_created_again(admin: AdminClient, service: Service, path: str) -> None:
    whole = f"/service/{service.id}/{path}"
    made = admin.post(whole, _new(service), status=201)["data"]
    assert admin.call("DELETE", f"{whole}/{made['id']}").status_code == 204
    again = admin.post(whole, _new(service), status=201)["data"]
    assert again["id"] != made["id"]
