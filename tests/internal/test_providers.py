from __future__ import annotations

from typing import Any
from uuid import uuid4

from notify.accounts.models import User
from tests.internal.admin import AdminClient, Factory


def _firetext(admin: AdminClient) -> Any:
    return next(row for row in admin.get("/provider-details")["provider_details"] if row["identifier"] == "firetext")


def test_providers_are_listed_by_type_and_priority(admin: AdminClient) -> None:
    listed = admin.get("/provider-details")["provider_details"]
    assert {row["identifier"] for row in listed} >= {"mmg", "firetext", "ses", "dvla"}
    kinds = ["email", "sms", "letter"]
    order = [(kinds.index(row["notification_type"]), row["priority"]) for row in listed]
    assert order == sorted(order)
    assert {row["current_month_billable_sms"] for row in listed if row["notification_type"] != "sms"} == {0}


def test_a_change_of_share_is_a_version(admin: AdminClient, factory: Factory) -> None:
    path = f"/provider-details/{_firetext(admin)['id']}"
    before = admin.get(path)["provider_details"]
    user: User = factory.user()
    change = {"priority": before["priority"], "created_by": str(user.id), "reason": "A trial"}
    after = admin.post(path, change)["provider_details"]
    assert after["version"] == before["version"] + 1
    assert after["created_by"] == {"id": str(user.id), "name": user.name, "email_address": user.email_address}
    assert (after["reason"], after["active"]) == ("A trial", before["active"])
    assert admin.get(f"{path}/versions")["data"][0] == after
    kept = admin.post(path, {"active": before["active"]})["provider_details"]
    assert (kept["reason"], kept["created_by"]) == (after["reason"], after["created_by"])


def test_what_cannot_be_changed(admin: AdminClient) -> None:
    path = f"/provider-details/{_firetext(admin)['id']}"
    before = admin.get(path)
    assert admin.post(path, {"identifier": "x", "priority": "y"}, status=400)["message"] == {
        "identifier": ["Not permitted to be updated"]
    }
    assert admin.post(path, {"priority": "much"}, status=400)["message"] == {"priority": ["Not a valid integer."]}
    assert admin.post(path, {"priority": -1}, status=400)["message"] == {
        "priority": ["Must be greater than or equal to 0."]
    }
    assert admin.post(path, {"created_by": str(uuid4())}, status=404)["message"] == "No result found"
    assert admin.get(path) == before


def test_unknown_providers(admin: AdminClient) -> None:
    path = f"/provider-details/{uuid4()}"
    assert admin.get(path) == {"provider_details": {}}
    assert admin.get(f"{path}/versions") == {"data": []}
    assert admin.post(path, {"priority": 1}, status=404)["message"] == "No result found"
