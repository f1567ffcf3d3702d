from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from notify.billing.models import AnnualBilling
from notify.branding.models import NHS_EMAIL_BRANDING_ID, NHS_LETTER_BRANDING_ID
from notify.infra.ids import new_id
from notify.services.models import Service, ServiceHistory
from tests.internal.admin import AdminClient, Factory, schema_faults
from tests.internal.teams import sent_to


def linked(admin: AdminClient, factory: Factory, **options: Any) -> tuple[str, Service]:
    """A path of an organisation, and a service of it."""
    service = factory.service(**options)
    path = f"/organisations/{factory.organisation().id}"
    admin.post(f"{path}/service", {"service_id": str(service.id)}, status=204)
    return path, service


def test_its_type_and_crown_become_those_of_its_services(admin: AdminClient, factory: Factory) -> None:
    path, service = linked(admin, factory)
    admin.post(path, {"organisation_type": "central", "crown": True}, status=204)
    with factory.session() as session:
        row = session.get_one(Service, service.id)
        assert (row.organisation_type, row.crown, row.version) == ("central", True, 3)
        history = session.get_one(ServiceHistory, (service.id, 3))
        assert (history.organisation_type, history.crown) == ("central", True)
        allowances = session.scalars(select(AnnualBilling).where(AnnualBilling.service_id == service.id)).all()
        assert len(allowances) == 1


def test_one_that_becomes_of_the_health_service_gets_its_brandings(admin: AdminClient, factory: Factory) -> None:
    path, service = linked(admin, factory)
    admin.post(path, {"organisation_type": "nhs_local"}, status=204)
    changed = admin.get(path)
    assert changed["email_branding_id"] == str(NHS_EMAIL_BRANDING_ID)
    assert changed["letter_branding_id"] == str(NHS_LETTER_BRANDING_ID)
    assert [each["name"] for each in admin.get(f"{path}/email-branding-pool")["data"]] == ["NHS"]
    assert [each["name"] for each in admin.get(f"{path}/letter-branding-pool")["data"]] == ["NHS"]
    users = admin.get(f"/email-branding/{NHS_EMAIL_BRANDING_ID}/orgs_and_services")["data"]
    assert str(service.id) in [each["id"] for each in users["services"]]


def test_a_change_of_the_name_alone_leaves_its_services(admin: AdminClient, factory: Factory) -> None:
    path, service = linked(admin, factory)
    admin.post(path, {"name": f"New {new_id()}", "notes": None, "unknown": 1}, status=204)
    with factory.session() as session:
        assert session.get_one(Service, service.id).version == 2


def test_permissions_are_changed_alone(admin: AdminClient, factory: Factory) -> None:
    organisation = factory.organisation()
    path = f"/organisations/{organisation.id}"
    admin.post(path, {"permissions": [], "name": "Passed over", "email_branding_id": "green"}, status=204)
    assert admin.get(path)["permissions"] == []
    assert admin.get(path)["name"] == organisation.name
    admin.post(path, {"permissions": ["can_ask_to_join_a_service"] * 2}, status=204)
    assert admin.get(path)["permissions"] == ["can_ask_to_join_a_service"]
    assert admin.post(f"/organisations/{uuid4()}", {"permissions": []}, status=404)["message"] == "No result found"


def test_what_is_null(admin: AdminClient, factory: Factory) -> None:
    path = f"/organisations/{factory.organisation().id}"
    assert schema_faults(admin.post(path, {"name": None}, status=400)) == ["name None is not of type string"]
    assert schema_faults(admin.post(path, {"active": None}, status=400)) == ["active None is not of type boolean"]
    admin.post(path, {"crown": None, "notes": None, "agreement_signed": None}, status=204)
    assert admin.get(path)["crown"] is None


def test_a_refused_change_changes_nothing(admin: AdminClient, factory: Factory) -> None:
    other = f"{new_id()}.gov.uk"
    admin.post(f"/organisations/{factory.organisation().id}", {"domains": [other]}, status=204)
    path = f"/organisations/{factory.organisation().id}"
    admin.post(path, {"notes": "before", "domains": ["own." + other]}, status=204)
    answer = admin.post(path, {"notes": "after", "domains": [other.upper()]}, status=400)
    assert answer["message"] == "Domain already exists"
    assert (admin.get(path)["notes"], admin.get(path)["domains"]) == ("before", ["own." + other])


def test_who_signs_the_agreement_gets_a_receipt(admin: AdminClient, factory: Factory) -> None:
    signer = factory.user(name="Sam Signer")
    path = f"/organisations/{factory.organisation(crown=True).id}"
    signed = {"agreement_signed": True, "agreement_signed_by_id": str(signer.id)}
    admin.post(path, signed | {"agreement_signed_at": "2026-03-04T05:06:07"}, status=204)
    (receipt,) = sent_to(admin.parts, signer.email_address)
    assert receipt.personalisation["signed_by_name"] == "Sam Signer"
    assert receipt.personalisation["mou_link"].endswith("/agreement/crown.pdf")
    assert admin.get(path)["agreement_signed_at"] == "Wed, 04 Mar 2026 05:06:07 GMT"
    given_as_text = {"agreement_signed_at": "Thu, 05 Mar 2026 05:06:07 GMT", "agreement_signed_version": "2.5"}
    admin.post(path, given_as_text, status=204)
    assert admin.get(path) | given_as_text | {"agreement_signed_version": 2.5} == admin.get(path)
    admin.post(path, {"agreement_signed": True}, status=204)
    assert len(sent_to(admin.parts, signer.email_address)) == 1


def test_a_receipt_is_sent_to_the_other_person_too(admin: AdminClient, factory: Factory) -> None:
    signer = factory.user()
    path = f"/organisations/{factory.organisation().id}"
    head = f"{new_id()}@example.gov.uk"
    signed = {
        "agreement_signed": True,
        "agreement_signed_by_id": str(signer.id),
        "agreement_signed_on_behalf_of_name": "Head",
        "agreement_signed_on_behalf_of_email_address": head,
    }
    admin.post(path, signed, status=204)
    assert len(sent_to(admin.parts, head)) == len(sent_to(admin.parts, signer.email_address)) == 1
    assert sent_to(admin.parts, head)[0].personalisation["mou_link"].endswith("/agreement/non-crown.pdf")
    wrong = signed | {"agreement_signed_on_behalf_of_email_address": "head", "notes": "not stored"}
    assert admin.post(path, wrong, status=400)["message"] == "Not a valid email address"
    assert admin.get(path)["notes"] is None


def test_members_and_their_permissions(admin: AdminClient, factory: Factory) -> None:
    path = f"/organisations/{factory.organisation().id}"
    user = factory.user()
    live = {"permissions": [{"permission": "can_make_services_live"}]}
    for _ in range(2):
        added = admin.post(f"{path}/users/{user.id}", live)["data"]
        assert list(added["organisation_permissions"].values()) == [["can_make_services_live"]]
    assert admin.post(f"{path}/users/{user.id}", {"permissions": [{"permission": "fly"}]}, status=404)
    assert [member["id"] for member in admin.get(f"{path}/users")["data"]] == [str(user.id)]
    blocked = admin.post(f"{path}/archive", status=400)["message"]
    assert blocked == "Cannot archive an organisation with team members or invited team members"
    admin.delete(f"{path}/users/{user.id}", status=204)
    assert admin.delete(f"{path}/users/{user.id}", status=404)["message"] == "User not found"


def test_archived_services_do_not_keep_an_organisation(admin: AdminClient, factory: Factory) -> None:
    path, service = linked(admin, factory)
    admin.post(path, {"email_branding_id": str(NHS_EMAIL_BRANDING_ID)}, status=204)
    answer = admin.post(f"{path}/archive", status=400)
    assert answer["message"] == "Cannot archive an organisation with active services"
    admin.post(f"/service/{service.id}/archive", status=204)
    admin.post(f"{path}/archive", status=204)
    archived = admin.get(path)
    assert (archived["active"], archived["email_branding_id"], archived["domains"]) == (False, None, [])


def test_pools(admin: AdminClient, factory: Factory) -> None:
    path = f"/organisations/{factory.organisation().id}"
    made = admin.post("/email-branding", {"name": f"Oak {new_id()}", "text": "Oak"}, status=201)["data"]
    for _ in range(2):
        admin.post(f"{path}/email-branding-pool", {"branding_ids": [made["id"]] * 2}, status=204)
    assert admin.get(f"{path}/email-branding-pool")["data"] == [made]
    admin.post(path, {"email_branding_id": made["id"]}, status=204)
    gone = f"{path}/email-branding-pool/{made['id']}"
    assert "default email branding" in admin.delete(gone, status=400)["message"]
    admin.post(path, {"email_branding_id": None}, status=204)
    admin.delete(gone, status=204)
    assert "not in" in admin.delete(gone, status=404)["message"]
    assert admin.post(f"/organisations/{uuid4()}/email-branding-pool", {"branding_ids": []}, status=404)


def test_usage_of_a_year(admin: AdminClient, factory: Factory) -> None:
    path, service = linked(admin, factory, restricted=False)
    answer = admin.get(f"{path}/services-with-usage", {"year": "2019"})
    assert answer["updated_at"] is None
    (usage,) = answer["services"]
    assert (UUID(usage["service_id"]), usage["sms_cost"], usage["emails_sent"]) == (service.id, 0.0, 0)
    for year in ("", "twenty", "99999", "0"):
        assert (
            admin.get(f"{path}/services-with-usage", {"year": year}, status=400)["message"] == "No valid year provided"
        )
