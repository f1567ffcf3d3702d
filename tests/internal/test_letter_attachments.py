from __future__ import annotations

from typing import Any
from uuid import uuid4

from notify.services.models import Service
from notify.templates.models import Template
from tests.internal.admin import AdminClient, Factory


def body(template: Template, **fields: Any) -> dict[str, Any]:
    return {
        "upload_id": str(uuid4()),
        "created_by_id": str(template.created_by_id),
        "original_filename": "map.pdf",
        "page_count": 2,
        "template_id": str(template.id),
    } | fields


def test_an_attachment_comes_and_goes_with_versions(admin: AdminClient, factory: Factory, service: Service) -> None:
    template = factory.template(service, "letter")
    path = f"/service/{service.id}/template/{template.id}"
    attachment = admin.post("/letter-attachment", body(template), status=201)
    assert (attachment["archived_at"], attachment["page_count"]) == (None, 2)
    assert admin.get(path)["data"]["letter_attachment"] == attachment
    second = admin.post("/letter-attachment", body(template), status=400)
    assert second["message"] == "template-already-has-attachment"
    archive = f"/letter-attachment/{attachment['id']}/archive"
    by = {"archived_by": str(factory.user().id)}
    admin.post(archive, by, status=204)
    assert admin.post(archive, by, status=400)["message"] == "letter-attachment-already-archived"
    archived = admin.get(f"/letter-attachment/{attachment['id']}")
    assert archived["archived_by_id"] == by["archived_by"]
    versions = admin.get(f"{path}/versions")["data"]
    assert [row["letter_attachment"] for row in versions] == [None, archived, None]


def test_what_cannot_be_attached(admin: AdminClient, factory: Factory, service: Service) -> None:
    letter, email = factory.template(service, "letter"), factory.template(service, "email")
    assert admin.post("/letter-attachment", body(email), status=400)["result"] == "error"
    for wrong in ({"template_id": str(uuid4())}, {"created_by_id": str(uuid4())}, {"page_count": 40_000}):
        assert admin.post("/letter-attachment", body(letter, **wrong), status=404)["message"] == "No result found"
    made = admin.post("/letter-attachment", body(letter), status=201)
    admin.post(f"/letter-attachment/{made['id']}/archive", {"archived_by": str(service.created_by_id)}, status=204)
    taken = admin.post("/letter-attachment", body(letter, upload_id=made["id"]), status=409)
    assert taken["result"] == "error"
    assert admin.get(f"/service/{service.id}/template/{letter.id}")["data"]["letter_attachment"] is None
