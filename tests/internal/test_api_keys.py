from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory, schema_faults


def _new(service: Service, name: str = "Main", key_type: str = "normal") -> dict[str, str]:
    return {"name": name, "key_type": key_type, "created_by": str(service.created_by_id)}


def test_a_key_is_shown_once_and_revoked(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}"
    secret = admin.post(f"{path}/api-key", _new(service), status=201)["data"]
    assert str(UUID(secret)) == secret
    (key,) = admin.get(f"{path}/api-keys")["apiKeys"]
    assert secret not in str(key)
    assert (key["name"], key["version"], key["expiry_date"]) == ("Main", 1, None)
    assert admin.get(f"{path}/api-keys/{key['id']}")["apiKeys"] == [key]

    answer = admin.call("POST", f"{path}/api-key/revoke/{key['id']}", body={"created_by": str(service.created_by_id)})
    assert (answer.status_code, answer.get_json()) == (202, None)
    (revoked,) = admin.get(f"{path}/api-keys")["apiKeys"]
    assert revoked["version"] == 2
    assert revoked["expiry_date"] == revoked["updated_at"]
    assert admin.get(f"{path}/api-keys/{key['id']}", status=404)["message"] == (
        f"API key not found for id: {service.id}"
    )


def test_a_name_is_free_again_after_revoking(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}"
    admin.post(f"{path}/api-key", _new(service), status=201)
    assert admin.post(f"{path}/api-key", _new(service), status=400)["message"] == {
        "name": ["Duplicate API key name 'Main'"]
    }
    (key,) = admin.get(f"{path}/api-keys")["apiKeys"]
    assert admin.call("POST", f"{path}/api-key/revoke/{key['id']}").status_code == 202
    admin.post(f"{path}/api-key", _new(service), status=201)
    assert [row["expiry_date"] is None for row in admin.get(f"{path}/api-keys")["apiKeys"]] == [True, False]


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({"name": 5, "key_type": None}, {"name": "string", "key_type": "null", "created_by": "missing"}),
        ({"name": "x" * 256, "key_type": "normal", "created_by": None}, {"name": "long", "created_by": "null"}),
    ],
)
def test_wrong_keys(admin: AdminClient, service: Service, body: object, faults: dict[str, str]) -> None:
    texts = {
        "string": "Not a valid string.",
        "null": "Field may not be null.",
        "missing": "Missing data for required field.",
        "long": "Longer than maximum length 255.",
    }
    answer = admin.post(f"/service/{service.id}/api-key", body, status=400)
    assert answer["message"] == {name: [texts[fault]] for name, fault in faults.items()}


def test_keys_of_unknown_kinds_and_people(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/api-key"
    assert admin.post(path, _new(service, key_type="gold"), status=400)["message"] == {
        "key_type": ["Invalid key type: gold"]
    }
    assert admin.post(path, _new(service) | {"created_by": "robin"}, status=404)["message"] == "No result found"
    assert admin.post(path, _new(service) | {"created_by": str(uuid4())}, status=404)["message"] == "No result found"


def test_only_a_service_revokes_its_keys(admin: AdminClient, factory: Factory, service: Service) -> None:
    admin.post(f"/service/{service.id}/api-key", _new(service), status=201)
    (key,) = admin.get(f"/service/{service.id}/api-keys")["apiKeys"]
    other = factory.service()
    assert admin.post(f"/service/{other.id}/api-key/revoke/{key['id']}", {}, status=404)["message"] == "No result found"
    wrong = admin.post(f"/service/{service.id}/api-key/revoke/{key['id']}", {"created_by": "x"}, status=400)
    assert schema_faults(wrong) == ["created_by is not a valid UUID"]
    assert admin.get(f"/service/{service.id}/api-keys")["apiKeys"] == [key]


def test_keys_of_no_service(admin: AdminClient) -> None:
    path = f"/service/{uuid4()}"
    assert admin.post(f"{path}/api-key", {}, status=404)["message"] == "No result found"
    assert admin.get(f"{path}/api-keys", status=404)["message"] == "No result found"


def test_a_revoked_key_opens_nothing_within_two_seconds(admin: AdminClient, factory: Factory, service: Service) -> None:
    import time

    import jwt

    full = factory.api_key(service, "team")
    secret, issuer = full[-36:], str(service.id)

    def status() -> int:
        token = jwt.encode({"iss": issuer, "iat": int(time.time())}, secret, algorithm="HS256")
        headers = {"Authorization": f"Bearer {token}"}
        return admin.call("GET", "/v2/notifications", headers=headers).status_code

    assert status() == 200
    (key,) = admin.get(f"/service/{service.id}/api-keys")["apiKeys"]
    admin.post(f"/service/{service.id}/api-key/revoke/{key['id']}", {}, status=202)
    time.sleep(2.1)
    assert status() == 403
