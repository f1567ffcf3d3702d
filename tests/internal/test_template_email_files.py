from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from notify.services.models import Service
from notify.templates.models import Template
from tests.internal.admin import AdminClient, Factory


@pytest.fixture
def template(factory: Factory, service: Service) -> Template:
    return factory.template(service, "email")


def place(template: Template) -> str:
    return f"/service/{template.service_id}/templates/{template.id}/template_email_files"


def version(admin: AdminClient, template: Template) -> int:
    number: int = admin.get(f"/service/{template.service_id}/template/{template.id}")["data"]["version"]
    return number


def add(admin: AdminClient, template: Template, filename: str = "map.pdf", *, live: bool = True) -> dict[str, Any]:
    body = {"filename": filename, "created_by_id": str(template.created_by_id)}
    file: dict[str, Any] = admin.post(place(template), body, status=201)["data"]
    if live:
        file = admin.post(f"{place(template)}/{file['id']}", {"pending": False})["data"]
    return file


def test_a_pending_file_makes_no_versions(admin: AdminClient, template: Template) -> None:
    file = add(admin, template, live=False)
    assert (file["pending"], file["version"], file["retention_period"], file["validate_users_email"]) == (
        True,
        0,
        1,
        True,
    )
    changed = admin.post(f"{place(template)}/{file['id']}", {"link_text": "Map"})["data"]
    assert (changed["pending"], changed["version"], changed["link_text"]) == (True, 0, "Map")
    assert admin.get(place(template)) == {"data": []}
    assert version(admin, template) == 1


def test_a_live_file_has_versions_together_with_its_template(admin: AdminClient, template: Template) -> None:
    file = add(admin, template)
    path = f"{place(template)}/{file['id']}"
    assert (file["version"], file["template_version"], version(admin, template)) == (1, 1, 1)
    same = admin.post(path, {"filename": "map.pdf", "pending": False})["data"]
    assert same == file
    changed = admin.post(path, {"retention_period": 9})["data"]
    assert (changed["version"], changed["template_version"], version(admin, template)) == (2, 2, 2)
    templates = f"/service/{template.service_id}/template/{template.id}"
    weeks = [
        admin.get(f"{templates}/version/{number}")["data"]["email_files"][0]["retention_period"] for number in (1, 2)
    ]
    assert weeks == [1, 9]


def test_names_that_read_alike(admin: AdminClient, template: Template) -> None:
    add(admin, template, "Fee list.csv")
    body = {"filename": "fee_LI-st.csv", "created_by_id": str(template.created_by_id)}
    taken = f"File named fee_LI-st.csv already exists for template id {template.id}"
    assert admin.post(place(template), body, status=400)["message"] == taken
    pending = add(admin, template, "other.csv", live=False)
    change = {"filename": "fee_LI-st.csv", "pending": False}
    assert admin.post(f"{place(template)}/{pending['id']}", change, status=400)["message"] == taken
    assert admin.get(f"{place(template)}/{pending['id']}")["data"]["filename"] == "other.csv"


def test_archiving_answers_the_file_as_it_was(admin: AdminClient, template: Template) -> None:
    file = add(admin, template)
    body = {"archived_by_id": str(template.created_by_id)}
    answer = admin.post(f"{place(template)}/{file['id']}/archive", body)["data"]
    assert answer["archived_by"] == str(template.created_by_id)
    assert answer["archived_at"][10] == " "
    assert (answer["version"], answer["template_version"]) == (1, 1)
    now = admin.get(f"{place(template)}/{file['id']}")["data"]
    assert (now["version"], now["template_version"], version(admin, template)) == (2, 2, 2)
    assert admin.get(place(template)) == {"data": []}
    assert admin.post(f"{place(template)}/{uuid4()}/archive", body, status=400)["result"] == "error"


def test_files_go_with_their_template(admin: AdminClient, template: Template) -> None:
    live, pending = add(admin, template), add(admin, template, "other.pdf", live=False)
    path = f"/service/{template.service_id}/template/{template.id}"
    unknown = {"content": "New", "archive_email_file_ids": [live["id"], str(uuid4())]}
    assert admin.post(path, unknown, status=404)["message"] == "No result found"
    assert version(admin, template) == 1
    assert admin.post(path, {"archived": True})["data"]["email_files"] == []
    archived = admin.get(f"{place(template)}/{live['id']}")["data"]
    assert (archived["archived_at"] is not None, archived["template_version"], archived["version"]) == (True, 2, 2)
    assert admin.get(f"{place(template)}/{pending['id']}")["data"]["archived_at"] is None
    versions = admin.get(f"{path}/versions")["data"]
    assert [[file["id"] for file in row["email_files"]] for row in versions] == [[], [live["id"]]]


def test_what_cannot_have_files(admin: AdminClient, factory: Factory, service: Service, template: Template) -> None:
    body = {"filename": "a.pdf", "created_by_id": str(service.created_by_id)}
    for kind in ("sms", "letter"):
        answer = admin.post(place(factory.template(service, kind)), body, status=400)
        assert answer["message"] == "Cannot add an email file to a non-email template"
    other = f"/service/{factory.service().id}/templates/{template.id}/template_email_files"
    assert admin.post(other, body, status=404)["message"] == "No result found"
    for missing in ("filename", "created_by_id"):
        answer = admin.post(place(template), {name: body[name] for name in body if name != missing}, status=400)
        assert answer["message"] == {missing: ["Missing data for required field."]}
    assert admin.post(place(template), body | {"retention_period": 2**40}, status=404)
    assert admin.post(place(template), body | {"created_by_id": str(uuid4())}, status=404)
