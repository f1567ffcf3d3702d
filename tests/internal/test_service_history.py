from __future__ import annotations

from uuid import uuid4

from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory


def test_every_change_has_a_version_that_names_who_made_it(
    admin: AdminClient, factory: Factory, service: Service
) -> None:
    path, other = f"/service/{service.id}", factory.user()
    factory.api_key(service)
    admin.post(path, {"sms_message_limit": 7, "created_by": str(other.id)})
    (key,) = admin.get(f"{path}/api-keys")["apiKeys"]
    admin.post(f"{path}/api-key/revoke/{key['id']}", {"created_by": str(other.id)}, status=202)
    history = admin.get(f"{path}/history")["data"]
    assert [(row["version"], row["sms_message_limit"], row["created_by_id"]) for row in history["service_history"]] == [
        (1, service.sms_message_limit, str(service.created_by_id)),
        (2, 7, str(other.id)),
    ]
    assert [(row["expiry_date"] is None, row["created_by_id"]) for row in history["api_key_history"]] == [
        (True, str(service.created_by_id)),
        (False, str(other.id)),
    ]
    assert "secret" not in history["api_key_history"][0]
    assert "key_type" not in history["api_key_history"][0]


def test_an_unknown_service_has_no_history(admin: AdminClient) -> None:
    assert admin.get(f"/service/{uuid4()}/history")["data"] == {"service_history": [], "api_key_history": []}
