from __future__ import annotations

from typing import Any

from notify.accounts.models import User
from notify.infra.ids import new_id
from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory, schema_faults
from tests.internal.teams import sent_to


def ask(admin: AdminClient, service: Service, asker: User, **fields: Any) -> str:
    body = {
        "requester_id": str(asker.id),
        "contacted_user_ids": [str(service.created_by_id)],
        "invite_link_host": "https://admin.example",
    }
    made = admin.post(f"/service/{service.id}/service-join-request", body | fields, status=201)
    return f"/service/{service.id}/service-join-request/{made['service_join_request_id']}"


def approved(service: Service, **fields: Any) -> dict[str, Any]:
    return {"status": "approved", "status_changed_by_id": str(service.created_by_id)} | fields


def test_members_are_asked_with_the_reason(admin: AdminClient, factory: Factory) -> None:
    member, asker = factory.user(name="Robin"), factory.user(name="Asker")
    stranger = factory.user(name="Stranger")
    service = factory.service(user_id=member.id)
    contacts = [str(member.id), str(stranger.id), str(member.id)]
    path = ask(admin, service, asker, contacted_user_ids=contacts, reason="I plant\nand water")
    (request,) = sent_to(admin.parts, member.email_address)
    assert request.personalisation["reason"] == "^ I plant\n^ and water"
    assert request.personalisation["reason_given"] == "yes"
    assert (
        request.personalisation["url"]
        == f"https://admin.example/services/{service.id}/join-request/{path[-36:]}/approve"
    )
    assert sent_to(admin.parts, stranger.email_address) == []
    (receipt,) = sent_to(admin.parts, asker.email_address)
    assert receipt.personalisation["service_admin_names"] == [
        f"Robin – {member.email_address}",
        f"Stranger – {stranger.email_address}",
    ]
    assert set(admin.get(path)["contacted_service_users"]) == set(contacts)


def test_no_reason_is_needed(admin: AdminClient, factory: Factory, service: Service) -> None:
    for fields in ({}, {"reason": None}):
        assert admin.get(ask(admin, service, factory.user(), **fields))["reason"] == ""


def test_an_approval_makes_a_member_and_cancels_the_other_requests(
    admin: AdminClient, factory: Factory, service: Service
) -> None:
    asker = factory.user()
    first, second = ask(admin, service, asker), ask(admin, service, asker)
    other = ask(admin, factory.service(), asker)
    body = approved(service, permissions=["send_texts"], folder_permissions=[str(new_id())])
    answer = admin.post(first, body)
    assert answer["requester"]["belongs_to_service"] == [str(service.id)]
    assert admin.get(second)["status"] == "cancelled"
    assert admin.get(second)["status_changed_by"]["id"] == str(service.created_by_id)
    assert admin.get(other)["status"] == "pending"
    assert admin.get(f"/user/{asker.id}")["data"]["permissions"] == {str(service.id): ["send_texts"]}
    admin.post(first, body)
    approval = sent_to(admin.parts, asker.email_address)[0]
    assert approval.personalisation["dashboard_url"].endswith(f"/services/{service.id}")


def test_nobody_signs_in_by_text_without_a_number(admin: AdminClient, factory: Factory, service: Service) -> None:
    asker = factory.user(mobile_number=None, auth_type="email_auth")
    admin.post(ask(admin, service, asker), approved(service, auth_type="sms_auth"))
    assert admin.get(f"/user/{asker.id}")["data"]["auth_type"] == "email_auth"
    asker = factory.user()
    admin.post(ask(admin, service, asker), approved(service, auth_type="email_auth"))
    assert admin.get(f"/user/{asker.id}")["data"]["auth_type"] == "email_auth"


def test_a_rejection_sends_nothing(admin: AdminClient, factory: Factory, service: Service) -> None:
    asker = factory.user()
    path = ask(admin, service, asker, reason="please")
    body = {"status": "rejected", "status_changed_by_id": str(service.created_by_id), "reason": None}
    assert admin.post(path, body)["reason"] == "please"
    assert len(sent_to(admin.parts, asker.email_address)) == 1


def test_a_request_belongs_to_its_service(admin: AdminClient, factory: Factory, service: Service) -> None:
    path = ask(admin, service, factory.user())
    elsewhere = path.replace(str(service.id), str(factory.service().id))
    assert admin.get(elsewhere, status=404)["message"] == "No result found"
    assert admin.post(elsewhere, approved(service), status=404)["message"] == "No result found"
    assert admin.post(path, approved(service, status_changed_by_id=str(new_id())), status=404)
    assert admin.get(path)["status"] == "pending"


def test_missing_fields_are_reported(admin: AdminClient, factory: Factory, service: Service) -> None:
    path = ask(admin, service, factory.user())
    assert schema_faults(admin.post(path, {"status": "approved"}, status=400)) == [
        "status_changed_by_id is a required property",
        "{status: approved} does not have enough properties",
    ]
