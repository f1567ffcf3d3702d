from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory, schema_faults


def new(service: Service, template_type: str = "sms", /, **fields: Any) -> dict[str, Any]:
    """A body that creates a template; `...` takes a field away."""
    body = {
        "name": "Bin day",
        "template_type": template_type,
        "content": "Hello ((name))",
        "service": str(service.id),
        "created_by": str(service.created_by_id),
    }
    if template_type != "sms":
        body["subject"] = "For ((name))"
    return {name: value for name, value in (body | fields).items() if value is not ...}


def make(admin: AdminClient, service: Service, template_type: str = "sms", /, **fields: Any) -> dict[str, Any]:
    made: dict[str, Any] = admin.post(
        f"/service/{service.id}/template", new(service, template_type, **fields), status=201
    )["data"]
    return made


def place(service: Service, template: dict[str, Any]) -> str:
    return f"/service/{service.id}/template/{template['id']}"


def test_a_change_makes_a_version_and_the_first_one_stays(admin: AdminClient, service: Service) -> None:
    made = make(admin, service, "email")
    path = place(service, made)
    assert (made["version"], made["email_files"], made["updated_at"]) == (1, [], None)
    changed = admin.post(path, {"subject": "Other", "created_by": str(service.created_by_id)})["data"]
    assert (changed["version"], changed["subject"], changed["content"]) == (2, "Other", "Hello ((name))")
    assert admin.get(path)["data"] == changed
    versions = admin.get(f"{path}/versions")["data"]
    assert [row["subject"] for row in versions] == ["Other", "For ((name))"]
    assert set(versions[0]["created_by"]) == {"id", "name", "email_address"}
    assert "folder" not in versions[0]
    assert "redact_personalisation" not in versions[0]
    assert admin.get(f"{path}/version/1")["data"] == versions[1]
    assert admin.get(f"{path}/version/3", status=404)["message"] == "No result found"


@pytest.mark.parametrize(
    ("change", "version"),
    [
        ({}, 1),
        ({"name": "Bin day", "archived": False, "postage": "second", "letter_languages": ...}, 1),
        ({"has_unsubscribe_link": None}, 1),
        ({"redact_personalisation": False}, 1),
        ({"name": "Bins"}, 2),
        ({"current_user": str(uuid4())}, 2),  # what is not shown is different
        ({"shade": "green"}, 2),
    ],
)
def test_what_counts_as_a_change(admin: AdminClient, service: Service, change: dict[str, Any], version: int) -> None:
    path = place(service, make(admin, service, "letter"))
    body = {name: value for name, value in change.items() if value is not ...}
    for _ in range(2):  # an unknown field makes a version each time
        changed = admin.post(path, body)["data"]
    unknown = bool({"current_user", "shade"} & set(change))
    assert changed["version"] == version + (1 if unknown else 0)


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"subject": ...}, ["subject is a required property"]),
        ({"template_type": "fax", "subject": ...}, ["template_type fax is not one of [sms, email, letter]"]),
        ({"postage": "europe"}, ["postage invalid. It must be either first, second or economy."]),
        ({"parent_folder_id": None}, ["parent_folder_id is not a valid UUID"]),
        (
            {"content": None, "created_by": "me"},
            ["content None is not of type string", "created_by is not a valid UUID"],
        ),
        ({"letter_languages": "welsh"}, ["letter_languages welsh is not one of [english, welsh_then_english]"]),
        ({"letter_languages": None}, ["letter_languages None is not of type string"]),
        ({"name": ..., "service": ...}, ["name is a required property", "service is a required property"]),
    ],
)
def test_wrong_bodies_make_nothing(
    admin: AdminClient, service: Service, fields: dict[str, Any], faults: list[str]
) -> None:
    answer = admin.post(f"/service/{service.id}/template", new(service, "letter", **fields), status=400)
    assert schema_faults(answer) == faults
    assert admin.get(f"/service/{service.id}/template") == {"data": []}


ENGLISH = {"letter_languages": "english", "letter_welsh_subject": None, "letter_welsh_content": None}
WELSH = {"letter_languages": "welsh_then_english", "letter_welsh_subject": "T", "letter_welsh_content": "C"}


@pytest.mark.parametrize(
    ("fields", "is_right"),
    [
        (ENGLISH, True),
        (WELSH, True),
        ({"letter_welsh_subject": "T", "letter_welsh_content": "C"}, True),
        ({"letter_welsh_subject": None, "letter_welsh_content": None}, True),
        ({"letter_welsh_subject": "T"}, True),
        ({"letter_languages": "english"}, False),
        ({"letter_languages": "welsh_then_english"}, False),
        (ENGLISH | {"letter_welsh_subject": "T"}, False),
        (WELSH | {"letter_welsh_content": None}, False),
        ({"letter_welsh_subject": None, "letter_welsh_content": "C"}, False),
    ],
)
def test_languages_go_with_their_texts(
    admin: AdminClient, service: Service, fields: dict[str, Any], is_right: bool
) -> None:
    body = new(service, "letter", **fields)
    path = place(service, make(admin, service, "letter"))
    answers = [
        admin.call("POST", f"/service/{service.id}/template", body=body),
        admin.call("POST", path, body=fields),
    ]
    if is_right:
        assert [answer.status_code for answer in answers] == [201, 200]
        return
    for answer in answers:
        assert schema_faults(answer.get_json())[0].endswith("is not valid under any of the given schemas")


def test_parts_that_a_type_does_not_have(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/template"
    for fields in ({"has_unsubscribe_link": True}, {"letter_languages": "english"} | ENGLISH):
        assert admin.post(path, new(service, "sms", **fields), status=400)["result"] == "error"
    made = make(admin, service, "email")
    answer = admin.post(place(service, made), {"template_type": "sms"}, status=400)
    assert answer["message"] == {"template_type": ["The type of a template cannot be changed"]}


def test_a_blank_subject_and_a_long_name_in_a_change(admin: AdminClient, service: Service) -> None:
    path = place(service, make(admin, service, "letter"))
    assert admin.post(path, {"subject": " "}, status=400)["message"] == {"subject": ["Invalid template subject"]}
    long = admin.post(path, {"name": "n" * 256}, status=400)
    assert long["message"] == {"name": ["Longer than maximum length 255."]}
    assert admin.get(path)["data"]["version"] == 1
    assert admin.post(f"/service/{service.id}/template", new(service, name="n" * 256), status=404)


def test_authors_that_are_not_there(admin: AdminClient, service: Service) -> None:
    nobody = str(uuid4())
    assert admin.post(f"/service/{service.id}/template", new(service, created_by=nobody), status=404)
    path = place(service, make(admin, service))
    assert admin.post(path, {"created_by": nobody}, status=404)
    assert admin.post(path, {"redact_personalisation": True, "created_by": nobody}, status=404)
    assert admin.get(path)["data"]["redact_personalisation"] is False


def test_hiding_personalisation_answers_null(admin: AdminClient, service: Service) -> None:
    path = place(service, make(admin, service))
    missing = admin.post(path, {"redact_personalisation": True}, status=400)
    assert missing["message"] == {"created_by": ["Field is required"]}
    body = {"redact_personalisation": True, "created_by": str(service.created_by_id)}
    for _ in range(2):
        answer = admin.call("POST", path, body=body)
        assert (answer.status_code, answer.text, answer.mimetype) == (200, "null", "text/html")
    assert admin.get(path)["data"]["redact_personalisation"] is True
    assert admin.get(path)["data"]["version"] == 1


def test_a_contact_block_may_be_set_on_any_type(admin: AdminClient, factory: Factory, service: Service) -> None:
    body = {"contact_block": "1 Oak Street", "is_default": False}
    contact = admin.post(f"/service/{service.id}/letter-contact", body, status=201)["data"]["id"]
    for kind, shown in (("letter", contact), ("sms", None)):
        path = place(service, make(admin, service, kind))
        changed = admin.post(path, {"reply_to": contact, "name": "not read"})["data"]
        assert (changed["version"], changed["name"]) == (2, "Bin day")
        assert (changed["service_letter_contact"], changed["reply_to"]) == (contact, shown)
        unknown = str(uuid4())
        assert admin.post(path, {"reply_to": unknown}, status=400)["message"] == (
            f"letter_contact_id {unknown} does not exist in database for service id {service.id}"
        )


def test_preview_fills_in_the_first_value_of_each_name(admin: AdminClient, service: Service) -> None:
    texts = {"subject": "For ((name))", "content": "Hi ((name)) ((day??today))"}
    for kind, subject in (("sms", None), ("email", "For A & B"), ("letter", "For A &amp; B")):
        fields = texts if kind != "sms" else {"content": texts["content"]}
        path = place(service, make(admin, service, kind, **fields)) + "/preview"
        filled = admin.get(f"{path}?name=A+%26+B&name=C&day=yes&other=x")
        assert (filled["content"], filled["subject"]) == ("Hi A & B today", subject)
        missing = admin.get(f"{path}?day=no", status=400)
        assert missing["message"] == {"template": ["Missing personalisation: name"]}


def test_the_hidden_template_is_made_once(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/template/precompiled"
    with ThreadPoolExecutor(4) as pool:
        ids = {answer["id"] for answer in pool.map(lambda _: admin.get(path), range(4))}
    assert len(ids) == 1
    hidden = admin.get(path)
    assert (hidden["is_precompiled_letter"], hidden["hidden"], hidden["version"]) == (True, True, 1)
    assert admin.get(f"/service/{service.id}/template/{hidden['id']}", status=404)
    assert admin.get(f"/service/{uuid4()}/template/precompiled", status=404)
