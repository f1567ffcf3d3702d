from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory, schema_faults


def _new(service: Service, callback_type: str = "delivery_status", **fields: Any) -> dict[str, Any]:
    values = {
        "url": "https://example.gov.uk/receipts",
        "bearer_token": "long-enough-token",
        "updated_by_id": str(service.created_by_id),
        "callback_type": callback_type,
    }
    return values | fields


def test_a_callback_is_made_changed_and_deleted(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/callback-api"
    made = admin.post(path, _new(service), status=201)["data"]
    assert sorted(made) == ["created_at", "id", "service_id", "updated_at", "updated_by_id", "url"]
    query = {"callback_type": "delivery_status"}
    assert admin.get(f"{path}/{made['id']}", query)["data"] == made
    named = admin.get(f"/service/{service.id}")["data"]["service_callback_api"]
    assert named == [{"callback_id": made["id"], "callback_type": "delivery_status"}]

    change = {"url": "https://example.gov.uk/2", "updated_by_id": made["updated_by_id"], **query}
    changed = admin.post(f"{path}/{made['id']}", change)["data"]
    assert (changed["url"], changed["updated_at"] is None) == ("https://example.gov.uk/2", False)
    assert admin.call("DELETE", f"{path}/{made['id']}", query=query).status_code == 204
    again = admin.call("DELETE", f"{path}/{made['id']}", query=query)
    assert (again.status_code, again.get_json()["message"]) == (404, "Service delivery receipt API not found")


def test_a_callback_is_found_by_its_id_service_and_type(admin: AdminClient, factory: Factory, service: Service) -> None:
    path = f"/service/{service.id}/callback-api"
    id_ = admin.post(path, _new(service), status=201)["data"]["id"]
    other = f"/service/{factory.service().id}/callback-api"
    body = {"updated_by_id": str(service.created_by_id), "callback_type": "delivery_status"}
    for wrong, kind in ((f"{other}/{id_}", "delivery_status"), (f"{path}/{uuid4()}", "delivery_status")):
        for method in ("GET", "DELETE"):
            assert admin.call(method, wrong, query={"callback_type": kind}).status_code == 404
        assert admin.post(wrong, body, status=404)["message"] == "Service delivery receipt API not found"
    answer = admin.get(f"{path}/{id_}", {"callback_type": "inbound_sms"}, status=404)
    assert answer["message"] == "Service inbound API not found"
    assert admin.get(f"{path}/{id_}", status=404)["message"] == "Callback not found"


@pytest.mark.parametrize(
    ("changes", "faults"),
    [
        ({"url": "http://example.gov.uk"}, ["url is not a valid https url"]),
        ({"bearer_token": "short"}, ["bearer_token short is too short"]),
        ({"updated_by_id": "robin"}, ["updated_by_id is not a valid UUID"]),
        (
            {"url": None, "bearer_token": None},
            ["url is not a valid https url", "bearer_token None is not of type string"],
        ),
    ],
)
def test_wrong_settings(admin: AdminClient, service: Service, changes: dict[str, Any], faults: list[str]) -> None:
    path = f"/service/{service.id}/callback-api"
    assert schema_faults(admin.post(path, _new(service, **changes), status=400)) == faults
    id_ = admin.post(path, _new(service), status=201)["data"]["id"]
    assert schema_faults(admin.post(f"{path}/{id_}", _new(service, **changes), status=400)) == faults


def test_what_is_unknown_or_taken(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/callback-api"
    admin.post(path, _new(service), status=201)
    assert "only have one URL" in admin.post(path, _new(service), status=400)["message"]
    assert admin.post(path, _new(service, "gold"), status=400)["message"] == {
        "callback_type": ["Invalid callback type: gold"]
    }
    nobody = _new(service, "complaint", updated_by_id=str(uuid4()))
    assert admin.post(path, nobody, status=404)["message"] == "No result found"
    assert admin.post(f"/service/{uuid4()}/callback-api", _new(service), status=404)["message"] == "No result found"
    typeless = _new(service)
    del typeless["callback_type"]
    assert schema_faults(admin.post(path, typeless, status=400)) == ["callback_type is a required property"]
