from __future__ import annotations

from uuid import UUID

from notify.accounts.models import User
from notify.services.models import Service
from notify.services.service import update_service
from tests.internal.admin import AdminClient, Factory
from tests.internal.teams import sent_to

PERMISSIONS = {"permissions": [{"permission": "can_make_services_live"}]}


def requested(admin: AdminClient, factory: Factory) -> tuple[Service, UUID, User]:
    """A service with a request to go live, its organisation, and who asked."""
    asker = factory.user(name="Robin")
    service = factory.service(user_id=asker.id)
    organisation = factory.organisation().id
    admin.post(f"/organisations/{organisation}/service", {"service_id": str(service.id)}, status=204)
    with factory.parts.database.transaction() as session:
        update_service(session, service.id, go_live_user_id=asker.id, has_active_go_live_request=True)
    return service, organisation, asker


def test_only_those_who_can_approve_are_asked(admin: AdminClient, factory: Factory) -> None:
    service, organisation, asker = requested(admin, factory)
    approver, member, gone = factory.user(name="Approver"), factory.user(), factory.user(state="inactive")
    for user, body in ((approver, PERMISSIONS), (member, {"permissions": []}), (gone, PERMISSIONS)):
        admin.post(f"/organisations/{organisation}/users/{user.id}", body)
    admin.post(f"/organisations/notify-users-of-request-to-go-live/{service.id}", status=204)
    (request,) = sent_to(admin.parts, approver.email_address)
    assert request.personalisation["requester_email_address"] == asker.email_address
    assert request.personalisation["make_service_live_link"].endswith(f"/services/{service.id}/make-service-live")
    assert sent_to(admin.parts, member.email_address) == sent_to(admin.parts, gone.email_address) == []
    (receipt,) = sent_to(admin.parts, asker.email_address)
    assert receipt.personalisation["organisation_team_member_names"] == ["Approver"]


def test_without_approvers_nothing_is_sent(admin: AdminClient, factory: Factory) -> None:
    service, _, asker = requested(admin, factory)
    admin.post(f"/organisations/notify-users-of-request-to-go-live/{service.id}", status=204)
    assert sent_to(admin.parts, asker.email_address) == []


def test_a_rejection_has_the_reason(admin: AdminClient, factory: Factory) -> None:
    service, _, asker = requested(admin, factory)
    names = ("name", "service_name", "organisation_name", "organisation_team_member_name")
    body = dict.fromkeys(names, "X") | {
        "organisation_team_member_email": "x@example.gov.uk",
        "reason": "Too soon\nLater",
    }
    path = f"/organisations/notify-service-member-of-rejected-go-live-request/{service.id}"
    admin.post(path, body, status=204)
    assert sent_to(admin.parts, asker.email_address)[0].personalisation["reason"] == "^ Too soon\n^ Later"


def test_without_a_request(admin: AdminClient, factory: Factory, service: Service) -> None:
    path = "/organisations/notify-org-member-about-next-steps-of-go-live-request"
    body = {"to": "sam@example.gov.uk", "service_name": "X", "body": "Y"}
    for name in (f"{path}/{service.id}", f"/organisations/notify-users-of-request-to-go-live/{service.id}"):
        assert admin.post(name, body, status=400)["message"].startswith("The browser (or proxy) sent a request")
    assert admin.post(f"{path}/{factory.organisation().id}", body, status=404)["message"] == "No result found"
