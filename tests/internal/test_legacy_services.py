from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from notify.services.models import ApiKey, InboundNumber, Service
from tests.internal.admin import AdminClient, Factory


def _versions(admin: AdminClient, service: Service) -> list[bool]:
    history = admin.get(f"/service/{service.id}/history")["data"]["service_history"]
    return [entry["active"] for entry in sorted(history, key=lambda entry: entry["version"])]


def test_a_suspended_service_keeps_its_name_and_loses_its_keys(admin: AdminClient, factory: Factory) -> None:
    service = factory.service()
    factory.api_key(service)
    assert admin.post(f"/service/{service.id}/suspend", status=204) is None
    shown = admin.get(f"/service/{service.id}")["data"]
    assert (shown["active"], shown["name"]) == (False, service.name)
    with factory.session() as session:
        key = session.scalars(select(ApiKey).where(ApiKey.service_id == service.id)).one()
        assert (key.expiry_date is not None, key.version) == (True, 2)
    assert _versions(admin, service) == [True, False]


def test_a_resumed_service_has_no_key_any_more(admin: AdminClient, factory: Factory) -> None:
    service = factory.service()
    factory.api_key(service)
    admin.post(f"/service/{service.id}/suspend", {}, status=204)
    admin.post(f"/service/{service.id}/resume", {}, status=204)
    assert admin.get(f"/service/{service.id}")["data"]["active"] is True
    with factory.session() as session:
        expired = session.scalars(select(ApiKey.expiry_date).where(ApiKey.service_id == service.id)).one()
    assert expired is not None
    assert _versions(admin, service) == [True, False, True]


def test_suspending_and_resuming_twice_is_once(admin: AdminClient, service: Service) -> None:
    for action in ("resume", "suspend", "suspend", "resume", "resume"):
        assert admin.post(f"/service/{service.id}/{action}", status=204) is None
    assert _versions(admin, service) == [True, False, True]


@pytest.mark.parametrize("action", ["suspend", "resume"])
def test_a_service_that_does_not_exist(admin: AdminClient, action: str) -> None:
    assert admin.post(f"/service/{uuid4()}/{action}", status=404)["message"] == "No result found"
    assert admin.call("POST", "/service/abc/" + action).status_code == 404
    assert admin.call("GET", f"/service/{uuid4()}/{action}").status_code == 405


def _is_unique(admin: AdminClient, service_id: object, name: str, email_from: str) -> bool:
    query = {"service_id": str(service_id), "name": name, "email_from": email_from}
    found = admin.get("/service/unique", query)
    assert list(found) == ["result"]
    return bool(found["result"])


def test_a_name_is_free_unless_a_service_has_exactly_it(admin: AdminClient, service: Service) -> None:
    free = f"free.{uuid4()}"
    assert _is_unique(admin, service.id, f"Free {free}", free) is True
    assert _is_unique(admin, service.id, service.name, free) is False
    assert _is_unique(admin, uuid4(), service.name, free) is False
    assert _is_unique(admin, uuid4(), service.name.swapcase(), free) is True
    assert _is_unique(admin, uuid4(), service.name.replace("e", "%"), free) is True


def test_the_sender_of_emails_is_free_unless_another_service_has_it(admin: AdminClient, service: Service) -> None:
    mine = service.normalised_service_name
    assert _is_unique(admin, service.id, f"Free {uuid4()}", mine) is True
    assert _is_unique(admin, uuid4(), f"Free {uuid4()}", mine) is False


@pytest.mark.parametrize("missing", [["service_id"], ["name"], ["email_from"], ["service_id", "name", "email_from"]])
def test_all_that_is_missing_is_listed(admin: AdminClient, missing: list[str]) -> None:
    query = {"service_id": str(uuid4()), "name": "x", "email_from": "y"} | dict.fromkeys(missing, "")
    refused = admin.get("/service/unique", query, status=400)
    assert refused["message"] == [{name: ["Can't be empty"]} for name in missing]


@pytest.mark.parametrize(
    "query",
    [
        {"service_id": "abc", "name": "x", "email_from": "y"},
        {"service_id": str(uuid4()), "name": "\0", "email_from": "y"},
        {"service_id": str(uuid4()), "name": "x", "email_from": "\0"},
    ],
)
def test_values_that_no_service_has(admin: AdminClient, query: dict[str, str]) -> None:
    assert admin.get("/service/unique", query, status=404)["message"] == "No result found"


# -- what an admin app of 2020 asks of routes that are there today, too (internal-services 18.1)


def _new_service(factory: Factory, **fields: Any) -> dict[str, Any]:
    user_id = str(factory.user().id)
    return {
        "name": f"Mills {uuid4()}",
        "user_id": user_id,
        "created_by": user_id,
        "restricted": True,
        "email_from": "mills",
        **fields,
    }


def test_one_limit_stands_for_those_that_are_missing(admin: AdminClient, factory: Factory) -> None:
    body = _new_service(factory, message_limit=77, sms_message_limit=5)
    made = admin.post("/service", body, status=201)["data"]
    assert (made["email_message_limit"], made["sms_message_limit"], made["letter_message_limit"]) == (77, 5, 77)
    refused = admin.post("/service", _new_service(factory, message_limit="many"), status=400)
    assert refused["message"]["email_message_limit"] == ["Not a valid integer."]
    missing = admin.post("/service", _new_service(factory), status=400)["message"]
    assert set(missing) == {"email_message_limit", "sms_message_limit", "letter_message_limit"}


def test_a_new_sender_may_be_an_inbound_number(admin: AdminClient, factory: Factory) -> None:
    service = factory.service()
    number = factory.row(InboundNumber(number=f"07511{uuid4().int % 10**6:06}", provider="mmg"))
    body = {"sms_sender": number.number, "is_default": True, "inbound_number_id": str(number.id)}
    made = admin.post(f"/service/{service.id}/sms-sender", body, status=201)
    assert (made["sms_sender"], made["inbound_number_id"]) == (number.number, str(number.id))
    assert admin.get(f"/inbound-number/service/{service.id}")["data"]["id"] == str(number.id)
    other = factory.service()
    assert admin.post(f"/service/{other.id}/sms-sender", body, status=400)["result"] == "error"
    assert len(admin.get(f"/service/{other.id}/sms-sender")) == 1


def test_a_number_beside_other_senders_is_the_default_only_if_wished(admin: AdminClient, factory: Factory) -> None:
    service = factory.service()
    path = f"/service/{service.id}/sms-sender"
    admin.post(path, {"sms_sender": "second", "is_default": False}, status=201)
    number = factory.row(InboundNumber(number=f"07511{uuid4().int % 10**6:06}", provider="mmg"))
    body = {"sms_sender": "ignored", "is_default": False, "inbound_number_id": str(number.id)}
    assert admin.post(path, body, status=201)["is_default"] is False
    senders = admin.get(path)
    assert sorted(sender["is_default"] for sender in senders) == [False, False, True]


def test_members_join_an_organisation_without_permissions(admin: AdminClient, factory: Factory) -> None:
    organisation, user = factory.organisation(), factory.user()
    joined = admin.post(f"/organisations/{organisation.id}/users/{user.id}", {})["data"]
    assert joined["organisations"] == [str(organisation.id)]


def test_a_key_is_revoked_without_a_body(admin: AdminClient, factory: Factory) -> None:
    service = factory.service()
    factory.api_key(service)
    (key,) = admin.get(f"/service/{service.id}/api-keys")["apiKeys"]
    assert admin.call("POST", f"/service/{service.id}/api-key/revoke/{key['id']}").status_code == 202
    (revoked,) = admin.get(f"/service/{service.id}/api-keys")["apiKeys"]
    assert revoked["expiry_date"] is not None


@pytest.mark.parametrize("kind", ["normal", "priority"])
def test_a_kind_of_processing_is_ignored(admin: AdminClient, service: Service, kind: str) -> None:
    body = {
        "name": "Reminder",
        "template_type": "sms",
        "content": "Hello",
        "service": str(service.id),
        "created_by": str(service.created_by_id),
        "process_type": kind,
    }
    made = admin.post(f"/service/{service.id}/template", body, status=201)["data"]
    assert (made["content"], made["version"]) == ("Hello", 1)
