"""Security keys of users."""

from __future__ import annotations

from uuid import uuid4

from tests.internal.admin import AdminClient, Factory, schema_faults

KEY = {"name": "Office key", "credential_data": "AAECAwQFBgc=", "registration_response": "CAkKCwwNDg8="}


def test_keys_are_added_renamed_and_deleted(admin: AdminClient, factory: Factory) -> None:
    path = f"/user/{factory.user().id}/webauthn"
    assert admin.get(path) == {"data": []}
    first = admin.post(path, KEY, status=201)["data"]
    assert set(first) == {"created_at", "credential_data", "id", "logged_in_at", "name", "updated_at", "user_id"}
    last = admin.delete(f"{path}/{first['id']}", status=400)
    assert last["message"] == "Cannot delete last remaining webauthn credential for user"
    second = admin.post(path, KEY, status=201)["data"]
    renamed = admin.post(f"{path}/{second['id']}", {"name": "Home key"})["data"]
    assert renamed["name"] == "Home key"
    assert renamed["updated_at"] is not None
    admin.delete(f"{path}/{first['id']}", status=204)
    assert admin.get(path)["data"] == [renamed]
    assert admin.delete(f"{path}/{first['id']}", status=404)["message"] == "No result found"


def test_what_a_key_must_have(admin: AdminClient, factory: Factory) -> None:
    path = f"/user/{factory.user().id}/webauthn"
    faults = schema_faults(admin.post(path, {"name": "", "colour": "blue"}, status=400))
    assert faults == [
        "name  should be non-empty",
        "credential_data is a required property",
        "registration_response is a required property",
        "Additional properties are not allowed (colour was unexpected)",
    ]
    assert admin.post(f"/user/{uuid4()}/webauthn", KEY, status=404)["message"] == "No result found"
    assert admin.get(f"/user/{uuid4()}/webauthn", status=404)["message"] == "No result found"


def test_completing_a_sign_in(admin: AdminClient, factory: Factory) -> None:
    path = f"/user/{factory.user().id}"
    key_id = admin.post(f"{path}/webauthn", KEY, status=201)["data"]["id"]
    complete = f"{path}/complete/webauthn-login"
    admin.post(complete, {"successful": True, "webauthn_credential_id": key_id}, status=204)
    assert admin.get(path)["data"]["current_session_id"] is not None
    assert admin.get(f"{path}/webauthn")["data"][0]["logged_in_at"] is not None
    faults = schema_faults(admin.post(complete, {"successful": "yes", "webauthn_credential_id": "x"}, status=400))
    assert faults == ["successful yes is not of type boolean", "webauthn_credential_id is not a valid UUID"]
    for _ in range(5):
        admin.post(complete, {"successful": False}, status=204)
    assert admin.post(complete, {"successful": True}, status=403)["message"] == "Maximum login count exceeded"
