"""Finding the object of an id."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from notify.branding.models import LetterBranding
from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory


def find(admin: AdminClient, id_: Any, status: int = 200) -> Any:
    return admin.post("/platform-admin/find-by-uuid", {"uuid": id_}, status=status)


def test_things_are_found_with_their_service(admin: AdminClient, factory: Factory, service: Service) -> None:
    template = factory.template(service)
    factory.api_key(service)
    key = admin.get(f"/service/{service.id}/api-keys")["apiKeys"][0]["id"]
    branding = factory.row(LetterBranding(name=f"Brand {uuid4()}", filename=f"brand-{uuid4()}"))
    sender = admin.get(f"/service/{service.id}/sms-sender")[0]["id"]
    of_service = {"service_id": str(service.id)}
    for id_, kind, context in (
        (service.id, "service", {}),
        (service.created_by_id, "user", {}),
        (factory.organisation().id, "organisation", {}),
        (branding.id, "letter_branding", {}),
        (template.id, "template", of_service),
        (key, "api_key", of_service),
        (sender, "service_sms_sender", of_service),
    ):
        assert find(admin, str(id_)) == {"type": kind, "context": context}
    assert find(admin, str(service.id).upper().replace("-", ""))["type"] == "service"


@pytest.mark.parametrize("wrong", ["0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d", "something", "", None])
def test_an_id_of_nothing_is_not_found(admin: AdminClient, wrong: Any) -> None:
    assert find(admin, wrong, 404)["message"] == "No result found"
