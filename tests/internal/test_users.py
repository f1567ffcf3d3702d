"""Users: registering, reading, changing, finding."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from notify.infra.ids import new_id
from tests.internal.admin import AdminClient

KEYS = {
    "auth_type", "can_use_webauthn", "created_at", "current_session_id", "email_access_validated_at", "email_address",
    "failed_login_count", "id", "logged_in_at", "mobile_number", "name", "organisation_permissions", "organisations",
    "password_changed_at", "permissions", "platform_admin", "receives_new_features_email", "services", "state",
    "take_part_in_research",
}  # fmt: skip


def new_user(**fields: Any) -> dict[str, Any]:
    """What registers a user."""
    return {
        "name": "Ada",
        "email_address": f"ada-{new_id()}@example.gov.uk",
        "password": "correct horse battery",
        "mobile_number": "07700900123",
        **fields,
    }


def test_a_user_is_registered_and_let_in(admin: AdminClient) -> None:
    made = admin.post("/user", new_user(shoe_size=9), status=201)["data"]
    assert set(made) == KEYS
    assert (made["state"], made["auth_type"], made["permissions"], made["services"]) == ("pending", "sms_auth", {}, [])
    assert admin.get(f"/user/{made['id']}")["data"] == made
    assert admin.post(f"/user/{made['id']}/activate")["data"] == {**made, "state": "active"}
    assert admin.post(f"/user/{made['id']}/activate", status=400)["message"] == "User already active"


def test_every_optional_field_of_a_registration(admin: AdminClient) -> None:
    given = {
        "id": str(uuid4()),
        "state": "active",
        "auth_type": "email_auth",
        "mobile_number": None,
        "failed_login_count": 3,
        "platform_admin": True,
        "take_part_in_research": False,
        "receives_new_features_email": False,
    }
    made = admin.post("/user", new_user(**given, logged_in_at="2026-02-03T04:05:06Z"), status=201)["data"]
    assert {name: made[name] for name in given} == given
    assert made["logged_in_at"] == "2026-02-03T04:05:06.000000Z"
    assert made["can_use_webauthn"] is True
    again = new_user(id=given["id"])
    assert admin.post("/user", again, status=409)["result"] == "error"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, {"name": ["Invalid name"]}),
        ({"name": None}, {"name": ["Field may not be null."]}),
        ({"email_address": "x" * 250 + "@example.gov.uk"}, {"email_address": ["Longer than maximum length 255."]}),
        ({"email_address": "nobody"}, {"email_address": ["Not a valid email address"]}),
        ({"mobile_number": ""}, {"mobile_number": ["Invalid phone number: Not enough digits"]}),
        ({"mobile_number": None}, "Mobile number must be set if auth_type is set to sms_auth"),
        ({"password": 12345678}, {"password": ["Not a valid string."]}),
        ({"auth_type": "smoke"}, {"auth_type": ["Invalid auth_type: smoke"]}),
    ],
)
def test_what_registration_refuses(admin: AdminClient, changes: dict[str, Any], message: object) -> None:
    assert admin.post("/user", new_user(**changes), status=400)["message"] == message


@pytest.mark.parametrize("state", ["asleep", "", "en congé 😀"])
def test_a_state_is_free_text(admin: AdminClient, state: str) -> None:
    user = admin.post("/user", new_user(state=state), status=201)["data"]
    assert admin.get(f"/user/{user['id']}")["data"]["state"] == state
    assert admin.post(f"/user/{user['id']}/activate")["data"]["state"] == "active"


def test_a_number_too_big_for_its_column_is_one_that_is_not_there(admin: AdminClient) -> None:
    assert admin.post("/user", new_user(failed_login_count=2**40), status=404)["message"] == "No result found"


def test_an_address_is_taken_in_whatever_case(admin: AdminClient) -> None:
    body = new_user()
    admin.post("/user", body, status=201)
    again = admin.post("/user", {**body, "email_address": body["email_address"].upper()}, status=400)
    assert "already" in again["message"]["email_address"][0]
    found = admin.post("/user/email", {"email": body["email_address"].upper(), "more": 1})
    assert found["data"]["email_address"] == body["email_address"]
    assert admin.get("/user/email", {"email": body["email_address"]})["data"] == found["data"]


def test_finding_by_a_part_of_the_address(admin: AdminClient) -> None:
    mark = f"{new_id()}"
    made = admin.post("/user", new_user(email_address=f"fay_100%-{mark}@example.gov.uk"), status=201)["data"]
    admin.post("/user", new_user(email_address=f"gus-{mark}@example.gov.uk"), status=201)
    names = ("email_address", "id", "mobile_number", "name")

    def find(part: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = admin.post("/user/find-users-by-email", {"email": part})["data"]
        return found

    assert find(f"FAY_100%-{mark}") == [{name: made[name] for name in names}]
    assert len(find(mark)) == 2
    assert find(f"gus_{mark}") == []
    refused = admin.post("/user/find-users-by-email", {"email": 12}, status=400)
    assert refused["message"] == {"email": ["Not a valid string."]}


def test_changing_a_user(admin: AdminClient) -> None:
    made = admin.post("/user", new_user(), status=201)["data"]
    path = f"/user/{made['id']}"
    changes = {
        "name": "Grace",
        "mobile_number": None,
        "auth_type": "email_auth",
        "current_session_id": str(uuid4()),
        "take_part_in_research": False,
        "platform_admin": False,
    }
    changed = admin.post(path, {**changes, "email_access_validated_at": "2026-02-03T04:05:06.000007Z"})["data"]
    assert changed == {**made, **changes, "email_access_validated_at": "2026-02-03T04:05:06.000007Z"}
    assert admin.post(path, {"current_session_id": None})["data"]["current_session_id"] is None
    assert admin.post(path, {})["data"] == {**changed, "current_session_id": None}
    needed = admin.post(path, {"auth_type": "sms_auth"}, status=400)
    assert needed["message"] == "Mobile number must be set if auth_type is set to sms_auth"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, {"name": ["Invalid name"]}),
        ({"email_address": None}, {"email_address": ["Field may not be null."]}),
        ({"auth_type": "smoke"}, {"auth_type": ["Invalid auth_type: smoke"]}),
        ({"platform_admin": True}, {"platform_admin": ["Cannot set platform_admin to True"]}),
        ({"current_session_id": "x"}, {"current_session_id": ["Not a valid UUID."]}),
        ({"email_access_validated_at": "soon"}, {"email_access_validated_at": ["Not a valid datetime."]}),
        ({"state": "inactive"}, {"_schema": ["Unknown field name state"]}),
        ({"failed_login_count": 0}, {"_schema": ["Unknown field name failed_login_count"]}),
        ([], {"_schema": ["Invalid input type."]}),
    ],
)
def test_what_a_change_refuses(admin: AdminClient, changes: object, message: object) -> None:
    made = admin.post("/user", new_user(), status=201)["data"]
    assert admin.post(f"/user/{made['id']}", changes, status=400)["message"] == message
    assert admin.get(f"/user/{made['id']}")["data"] == made
    assert admin.post(f"/user/{uuid4()}", changes, status=404)["message"] == "No result found"


def test_failures_are_set_back(admin: AdminClient) -> None:
    made = admin.post("/user", new_user(failed_login_count=12), status=201)["data"]
    assert admin.post(f"/user/{made['id']}/reset-failed-login-count", {})["data"]["failed_login_count"] == 0


def test_an_archived_user(admin: AdminClient) -> None:
    body = new_user()
    made = admin.post("/user", body, status=201)["data"]
    admin.post(f"/user/{made['id']}/archive", status=204)
    gone = admin.get(f"/user/{made['id']}")["data"]
    assert (gone["state"], gone["name"]) == ("inactive", "Archived user")
    assert made["id"] in gone["email_address"]
    assert admin.post(f"/user/{made['id']}", {"name": "Gone"})["data"] == gone | {"name": "Gone"}
    admin.post(f"/user/{made['id']}/verify/password", {"password": body["password"]}, status=400)
    admin.post("/user", body, status=201)
