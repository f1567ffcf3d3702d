from __future__ import annotations

from uuid import uuid4

import pytest

from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory, schema_faults


def test_a_service_has_one_retention_a_type(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/data-retention"
    made = admin.post(path, {"notification_type": "sms", "days_of_retention": 14}, status=201)["result"]
    assert made["service_name"] == service.name
    assert made["created_at"].endswith("Z")
    assert made["updated_at"] is None
    again = admin.post(path, {"notification_type": "sms", "days_of_retention": 3}, status=400)
    assert again == {"result": "error", "message": "Service already has data retention for sms notification type"}
    assert admin.get(path) == [made]
    assert admin.get(f"{path}/{made['id']}") == made
    assert admin.get(f"{path}/notification-type/sms") == made


def test_retentions_are_listed_by_type_and_change(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/data-retention"
    for kind in ("letter", "sms", "email"):
        admin.post(path, {"notification_type": kind, "days_of_retention": 30}, status=201)
    listed = admin.get(path)
    assert [row["notification_type"] for row in listed] == ["email", "sms", "letter"]
    assert admin.post(f"{path}/{listed[1]['id']}", {"days_of_retention": 5}, status=204) is None
    assert [row["days_of_retention"] for row in admin.get(path)] == [30, 5, 30]
    assert admin.get(path)[1]["updated_at"] is not None


def test_what_there_is_not(admin: AdminClient, factory: Factory, service: Service) -> None:
    path = f"/service/{service.id}/data-retention"
    assert admin.get(path) == []
    assert admin.get(f"{path}/{uuid4()}") == {}
    assert admin.get(f"{path}/notification-type/sms") == {}
    assert admin.get(f"{path}/notification-type/fax", status=404)["message"] == "No result found"
    other = factory.service()
    theirs = admin.post(
        f"/service/{other.id}/data-retention", {"notification_type": "sms", "days_of_retention": 3}, status=201
    )["result"]["id"]
    assert admin.post(f"{path}/{theirs}", {"days_of_retention": 4}, status=404) == {
        "result": "error",
        "message": f"The service data retention for id: {theirs} was not found for service: {service.id}",
    }
    unknown = {"notification_type": "sms", "days_of_retention": 3}
    assert "already has" in admin.post(f"/service/{uuid4()}/data-retention", unknown, status=400)["message"]


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, ["days_of_retention is a required property", "notification_type is a required property"]),
        (
            {"days_of_retention": "few", "notification_type": "fax"},
            [
                "days_of_retention few is not of type integer",
                "notification_type fax is not one of [sms, letter, email]",
            ],
        ),
        ({"days_of_retention": True, "notification_type": "sms"}, ["days_of_retention True is not of type integer"]),
        ({"days_of_retention": 3.5, "notification_type": "sms"}, ["days_of_retention 3.5 is not of type integer"]),
        ([1], ["[1] is not of type object"]),
    ],
)
def test_wrong_bodies(admin: AdminClient, service: Service, body: object, faults: list[str]) -> None:
    assert schema_faults(admin.post(f"/service/{service.id}/data-retention", body, status=400)) == faults


def test_a_whole_number_may_have_a_decimal_point(admin: AdminClient, service: Service) -> None:
    body = {"notification_type": "sms", "days_of_retention": 3.0}
    made = admin.post(f"/service/{service.id}/data-retention", body, status=201)["result"]
    assert repr(made["days_of_retention"]) == "3"


def test_a_number_too_big_for_the_column_is_not_found(admin: AdminClient, service: Service) -> None:
    body = {"notification_type": "sms", "days_of_retention": 2**40}
    assert admin.post(f"/service/{service.id}/data-retention", body, status=404)["message"] == "No result found"
