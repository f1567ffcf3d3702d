from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from notify.infra.ids import new_id
from tests.internal.admin import AdminClient, Factory, schema_faults


def make(admin: AdminClient, **fields: Any) -> Any:
    values = {"name": f"Woods {new_id()}", "crown": False, "organisation_type": "local"}
    return admin.post("/organisations", values | fields, status=201)


def test_an_organisation_is_made_and_read(admin: AdminClient) -> None:
    made = make(admin, agreement_signed=False, domains=["B.gov.uk", "a.gov.uk"])
    assert made["permissions"] == ["can_ask_to_join_a_service"]
    assert made["domains"] == ["a.gov.uk", "b.gov.uk"]
    assert made["count_of_live_services"] == 0
    assert len(made) == 23
    assert admin.get(f"/organisations/{made['id']}") == made
    listed = [each for each in admin.get("/organisations") if each["id"] == made["id"]]
    assert listed == [
        {
            name: made[name]
            for name in ("id", "name", "active", "count_of_live_services", "domains", "organisation_type")
        }
    ]


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"name": "X", "crown": False, "organisation_type": "nhs"}, ["organisation_type nhs is not one of"]),
        ({"name": "X", "crown": None, "organisation_type": "local"}, ["crown None is not of type boolean"]),
        ({"name": "X", "crown": True, "organisation_type": "local", "active": None}, ["active None is not of type"]),
        (
            {"name": "X", "crown": True, "organisation_type": "local", "domains": "x.gov.uk"},
            ["domains x.gov.uk is not of type array"],
        ),
    ],
)
def test_wrong_organisations(admin: AdminClient, body: object, faults: list[str]) -> None:
    found = schema_faults(admin.post("/organisations", body, status=400))
    assert len(found) == len(faults)
    assert all(text.startswith(start) for text, start in zip(found, faults, strict=True))


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "x" * 256},
        {"email_branding_id": "green"},
        {"email_branding_id": str(uuid4())},
        {"agreement_signed_at": "yesterday"},
        {"agreement_signed_by_id": str(uuid4())},
        {"billing_reference": "r" * 256},
    ],
)
def test_values_that_no_organisation_can_have(admin: AdminClient, fields: dict[str, Any]) -> None:
    body = {"name": f"Woods {new_id()}", "crown": False, "organisation_type": "local"} | fields
    assert admin.post("/organisations", body, status=404)["message"] == "No result found"


def test_live_services_are_counted(admin: AdminClient, factory: Factory) -> None:
    made = make(admin)
    for restricted in (True, False, False):
        service = factory.service(restricted=restricted)
        admin.post(f"/organisations/{made['id']}/service", {"service_id": str(service.id)}, status=204)
    assert admin.get(f"/organisations/{made['id']}")["count_of_live_services"] == 2
    listed = {each["id"]: each for each in admin.get("/organisations")}
    assert listed[made["id"]]["count_of_live_services"] == 2


def test_the_query_of_2020_for_a_free_name(admin: AdminClient) -> None:
    made = make(admin)
    ask = {"org_id": made["id"], "name": made["name"].upper()}
    assert admin.get("/organisations/unique", ask) == {"result": True}
    assert admin.get("/organisations/unique", ask | {"org_id": str(uuid4())}) == {"result": False}
    assert admin.get("/organisations/unique", status=400)["message"] == [
        {"org_id": ["Can't be empty"]},
        {"name": ["Can't be empty"]},
    ]
