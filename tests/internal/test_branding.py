from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from notify.infra.ids import new_id
from tests.internal.admin import AdminClient, Factory


@pytest.mark.parametrize(
    "fields",
    [
        {"colour": "#1234567"},
        {"name": "n" * 256},
        {"logo": "l" * 256},
        {"created_by": str(uuid4())},
        {"created_by": "x"},
    ],
)
def test_values_that_no_email_branding_can_have(admin: AdminClient, fields: dict[str, Any]) -> None:
    body = {"name": f"Oak {new_id()}", "text": "Oak"} | fields
    assert admin.post("/email-branding", body, status=404)["message"] == "No result found"


def test_an_empty_name(admin: AdminClient) -> None:
    message = admin.post("/email-branding", {"name": "", "text": "Oak"}, status=400)["message"]
    assert message == {"name": ["Missing data for required field."]}
    message = admin.post("/letter-branding", {"name": None, "filename": "oak"}, status=400)["message"]
    assert message == {"name": ["Missing data for required field."]}


def test_an_email_branding_keeps_what_is_not_changed(admin: AdminClient, factory: Factory) -> None:
    user = factory.user()
    made = admin.post("/email-branding", {"name": f"Oak {new_id()}", "text": "Oak", "colour": "#123456"}, status=201)
    path = f"/email-branding/{made['data']['id']}"
    changed = admin.post(path, {"logo": "oak.png", "updated_by": str(user.id)})["data"]
    assert changed == made["data"] | {"logo": "oak.png", "updated_at": changed["updated_at"]}
    assert changed["updated_at"] is not None
    assert admin.post(f"/email-branding/{made['data']['id']}", {})["data"]["updated_at"] > changed["updated_at"]


def test_archived_brandings_cannot_be_chosen(admin: AdminClient, factory: Factory) -> None:
    made = admin.post("/email-branding", {"name": f"Oak {new_id()}", "text": "Oak"}, status=201)["data"]
    pool = f"/organisations/{factory.organisation().id}/email-branding-pool"
    admin.post(pool, {"branding_ids": [made["id"]]}, status=204)
    for _ in range(2):
        admin.post(f"/email-branding/{made['id']}/archive", status=204)
    assert made["id"] not in [each["id"] for each in admin.get("/email-branding")["email_branding"]]
    assert admin.get(pool)["data"] == []
    assert admin.get(f"/email-branding/{made['id']}")["email_branding"]["name"].startswith("_archived_20")


def test_a_name_like_a_pattern_is_free(admin: AdminClient) -> None:
    name = f"100% {new_id()}_"
    assert admin.post("/letter-branding/get-unique-name/", {"name": name}) == {"name": name}
    admin.post("/letter-branding", {"name": name.upper(), "filename": name}, status=201)
    assert admin.post("/letter-branding/get-unique-name/", {"name": name}) == {"name": f"{name} (alternate 1)"}


def test_an_unknown_letter_branding(admin: AdminClient) -> None:
    body = {"name": f"Oak {new_id()}", "filename": str(new_id())}
    assert admin.post(f"/letter-branding/{uuid4()}", body, status=404)["message"] == "No result found"
    assert admin.post("/letter-branding", body | {"created_by_id": str(uuid4())}, status=404)
