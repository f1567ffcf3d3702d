from __future__ import annotations

import time
from uuid import uuid4

import jwt
import pytest

from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory, schema_faults

KINDS = {
    "sms-sender": ("sms_sender", "OAKSHIRE", "ASHSHIRE"),
    "email-reply-to": ("email_address", "oak@example.gov.uk", "ash@example.gov.uk"),
    "letter-contact": ("contact_block", "1 Oak Street", "2 Ash Street"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_default_takes_the_place_of_the_old_one(admin: AdminClient, service: Service, kind: str) -> None:
    path, (field, first, second) = f"/service/{service.id}/{kind}", KINDS[kind]
    one = admin.post(path, {field: first, "is_default": True}, status=201)
    one = one.get("data", one)
    two = admin.post(path, {field: second, "is_default": True}, status=201)
    two = two.get("data", two)
    assert (two[field], two["is_default"], two["archived"], two["updated_at"]) == (second, True, False, None)
    listed = admin.get(path)
    assert [row["id"] for row in listed[:2]] == [two["id"], one["id"]]
    assert [row["is_default"] for row in listed].count(True) == 1
    assert admin.get(f"{path}/{one['id']}")["updated_at"] is not None

    changed = admin.post(f"{path}/{one['id']}", {field: first + "x", "is_default": True})
    assert changed.get("data", changed)[field] == first + "x"
    assert admin.post(f"{path}/{two['id']}/archive")["data"]["archived"] is True
    assert admin.post(f"{path}/{two['id']}/archive")["data"]["archived"] is True
    assert admin.get(f"{path}/{two['id']}", status=404)["message"] == "No result found"
    assert two["id"] not in [row["id"] for row in admin.get(path)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there(admin: AdminClient, factory: Factory, service: Service, kind: str) -> None:
    field, first, _ = KINDS[kind]
    body = {field: first, "is_default": True}
    made = admin.post(f"/service/{service.id}/{kind}", body, status=201)
    id_ = made.get("data", made)["id"]
    other = f"/service/{factory.service().id}/{kind}"
    assert admin.get(f"{other}/{id_}", status=404)["message"] == "No result found"
    assert admin.post(f"{other}/{id_}", body, status=404)["message"] == "No result found"
    assert admin.post(f"{other}/{id_}/archive", status=404)["message"] == "No result found"
    unknown = f"/service/{uuid4()}/{kind}"
    assert admin.get(unknown) == []
    assert admin.post(unknown, {}, status=404)["message"] == "No result found"


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_bodies(admin: AdminClient, service: Service, kind: str) -> None:
    path, (field, _, _) = f"/service/{service.id}/{kind}", KINDS[kind]
    assert schema_faults(admin.post(path, {}, status=400)) == [
        f"{field} is a required property",
        "is_default is a required property",
    ]
    assert schema_faults(admin.post(path, {field: 7, "is_default": "yes"}, status=400)) == [
        f"{field} 7 is not of type string",
        "is_default yes is not of type boolean",
    ]


def test_rules_of_reply_to_addresses(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/email-reply-to"
    address = {"email_address": "oak@example.gov.uk"}
    refused = admin.post(path, address | {"is_default": False}, status=400)
    assert refused["message"] == "You must have at least one reply to email address as the default."
    made = admin.post(path, address | {"is_default": True}, status=201)["data"]
    again = admin.post(path, address | {"is_default": False}, status=409)
    assert again["message"] == "‘oak@example.gov.uk’ is already a reply-to email address for this service."
    assert admin.post(f"{path}/{made['id']}/archive", status=400)["message"] == (
        "You cannot delete a default email reply to address"
    )
    wrong = admin.post(path, {"email_address": "oak", "is_default": True}, status=400)
    assert schema_faults(wrong) == ["email_address Not a valid email address"]


def test_a_reply_to_address_is_verified_by_an_email(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/email-reply-to"
    sent = admin.post(f"{path}/verify", {"email": "oak@example.gov.uk"}, status=201)["data"]["id"]
    notice = admin.get(f"/service/d6aa2c68-a2d9-4437-ab19-3ae8eb202553/notifications/{sent}")
    assert (notice["to"], notice["notification_type"]) == ("oak@example.gov.uk", "email")
    assert admin.post(f"{path}/verify", {}, status=400)["message"] == {"email": ["Missing data for required field."]}
    assert admin.post(f"{path}/verify", {"email": "oak"}, status=400)["message"] == {
        "email": ["Not a valid email address"]
    }
    admin.post(path, {"email_address": "oak@example.gov.uk", "is_default": True}, status=201)
    admin.post(f"{path}/verify", {"email": "oak@example.gov.uk"}, status=409)


def test_a_text_message_sender_fits_its_column(admin: AdminClient, service: Service) -> None:
    body = {"sms_sender": "TWELVELETTER", "is_default": True}
    assert admin.post(f"/service/{service.id}/sms-sender", body, status=404)["message"] == "No result found"


def test_an_archived_sender_is_not_found_at_once(admin: AdminClient, factory: Factory, service: Service) -> None:
    path, template = f"/service/{service.id}/sms-sender", factory.template(service, "sms")
    sender = admin.post(path, {"sms_sender": "OAKSHIRE", "is_default": False}, status=201)
    full = factory.api_key(service, "test")
    token = jwt.encode({"iss": str(service.id), "iat": int(time.time())}, full[-36:], algorithm="HS256")
    body = {
        "phone_number": "07700900123",
        "template_id": str(template.id),
        "personalisation": {"name": "Jo"},
        "sms_sender_id": sender["id"],
    }
    headers = {"Authorization": f"Bearer {token}"}
    assert admin.call("POST", "/v2/notifications/sms", body=body, headers=headers).status_code == 201
    admin.post(f"{path}/{sender['id']}/archive")
    assert admin.call("POST", "/v2/notifications/sms", body=body, headers=headers).status_code == 400


@pytest.mark.parametrize("kind", ["email-reply-to", "letter-contact"])
def test_what_is_archived_can_be_changed_and_is_nobodys_default(
    admin: AdminClient, service: Service, kind: str
) -> None:
    path, (field, first, second) = f"/service/{service.id}/{kind}", KINDS[kind]
    default = admin.post(path, {field: first, "is_default": True}, status=201)["data"]
    gone = admin.post(path, {field: second, "is_default": False}, status=201)["data"]
    admin.post(f"{path}/{gone['id']}/archive")
    for is_default in (False, True):
        changed = admin.post(f"{path}/{gone['id']}", {field: "x" + second, "is_default": is_default})["data"]
        assert (changed[field], changed["archived"], changed["is_default"]) == ("x" + second, True, is_default)
    assert [(row["id"], row["is_default"]) for row in admin.get(path)] == [(default["id"], True)]
    admin.get(f"{path}/{gone['id']}", status=404)
