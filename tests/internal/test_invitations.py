from __future__ import annotations

import re
import time
from typing import Any
from uuid import uuid4

import pytest

from notify.infra.container import Container
from notify.infra.ids import new_id
from notify.infra.url_tokens import UrlTokens
from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory, schema_faults
from tests.internal.teams import sent_to

BROKEN = {"invitation": "Something’s wrong with this link. Make sure you’ve copied the whole thing."}


def invitation(to: Service, /, **fields: Any) -> dict[str, Any]:
    values = {
        "service": str(to.id),
        "email_address": f"{new_id()}@example.gov.uk",
        "from_user": str(to.created_by_id),
        "permissions": "send_texts,view_activity",
    }
    return values | fields


def test_an_invitation_is_sent_and_its_link_leads_to_it(admin: AdminClient, factory: Factory) -> None:
    inviter = factory.user(name="Robin")
    service = factory.service(user_id=inviter.id)
    body = invitation(service, folder_permissions=[str(uuid4())], auth_type="email_auth")
    made = admin.post(f"/service/{service.id}/invite", body, status=201)["data"]
    assert made["folder_permissions"] == body["folder_permissions"]
    (message,) = sent_to(admin.parts, body["email_address"])
    assert message.personalisation["user_name"] == "Robin"
    assert message.personalisation["service_name"] == service.name
    found = re.fullmatch(r"(.*)/invitation/(.+)", message.personalisation["url"])
    assert found is not None
    assert found[1] == admin.parts.settings.admin_base_url.rstrip("/")
    for path in (f"check/{found[2]}", found[2], made["id"]):
        assert admin.get(f"/invite/service/{path}")["data"] == made
    assert admin.get(f"/invite/organisation/{found[2]}", status=404)["message"] == "No result found"
    assert admin.get(f"/invite/household/{found[2]}", status=404)["message"] == "No result found"


def test_the_service_of_the_path_counts_where_the_body_has_none(admin: AdminClient, service: Service) -> None:
    body = invitation(service)
    del body["service"]
    assert admin.post(f"/service/{service.id}/invite", body, status=201)["data"]["service"] == str(service.id)
    assert admin.post("/service/x/invite", body, status=404)["message"] == "No result found"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"email_address": "x" * 255 + "@example.gov.uk"}, None),
        ({"auth_type": "fax"}, {"auth_type": ["Must be one of: sms_auth, email_auth, webauthn_auth."]}),
        ({"status": "lost"}, {"status": ["Must be one of: pending, accepted, cancelled."]}),
        ({"from_user": None}, {"from_user": ["Field may not be null."]}),
    ],
)
def test_wrong_invitations(admin: AdminClient, service: Service, fields: dict[str, Any], message: Any) -> None:
    answer = admin.post(f"/service/{service.id}/invite", invitation(service, **fields), status=400)
    assert message is None or answer["message"] == message
    assert admin.get(f"/service/{service.id}/invite")["data"] == []


@pytest.mark.parametrize("fields", [{"from_user": "robin"}, {"from_user": str(uuid4())}, {"service": str(uuid4())}])
def test_by_or_to_nobody(admin: AdminClient, service: Service, fields: dict[str, Any]) -> None:
    answer = admin.post(f"/service/{service.id}/invite", invitation(service, **fields), status=404)
    assert answer["message"] == "No result found"


def test_an_invitation_belongs_to_its_service(admin: AdminClient, factory: Factory, service: Service) -> None:
    made = admin.post(f"/service/{service.id}/invite", invitation(service), status=201)["data"]
    path = f"/service/{factory.service().id}/invite/{made['id']}"
    assert admin.get(path, status=404)
    assert admin.post(path, {"status": "cancelled"}, status=404)
    own = f"/service/{service.id}/invite/{made['id']}"
    changed = admin.post(own, {"status": "accepted", "permissions": "", "created_by": "x"})["data"]
    assert (changed["status"], changed["permissions"]) == ("accepted", "")
    assert admin.get(own)["data"] == changed


def test_old_links_have_expired(
    admin: AdminClient, service: Service, factory: Factory, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = admin.post(f"/service/{service.id}/invite", invitation(service), status=201)["data"]
    tokens = Container(admin.parts).get(UrlTokens)
    now = time.time()
    with monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: now - 2 * 86400 - 60)
        token = tokens.make(made["id"])
    for path in ("service/check", "service", "organisation/check", "organisation"):
        message = admin.get(f"/invite/{path}/{token}", status=400)["message"]
        assert message["invitation"].startswith("Your invitation to GOV.UK Notify has expired.")


def test_a_link_for_something_else_leads_nowhere(admin: AdminClient) -> None:
    tokens = Container(admin.parts).get(UrlTokens)
    for payload in ('{"user_id": "x"}', str(uuid4())):
        assert admin.get(f"/invite/service/{tokens.make(payload)}", status=404)["message"] == "No result found"
    assert admin.get("/invite/service/nonsense", status=400)["message"] == BROKEN
    assert admin.get("/invite/household/nonsense", status=400)["message"] == BROKEN


def test_an_invitation_to_an_organisation(admin: AdminClient, factory: Factory) -> None:
    organisation = factory.organisation()
    path = f"/organisation/{organisation.id}/invite"
    for platform_admin, name in ((True, "The GOV.UK Notify team"), (False, "Robin")):
        inviter = factory.user(name="Robin", platform_admin=platform_admin)
        address = f"{new_id()}@example.gov.uk"
        body = {"email_address": address, "invited_by": str(inviter.id), "invite_link_host": "https://admin.example"}
        made = admin.post(path, body, status=201)["data"]
        assert made["permissions"] == []
        (message,) = sent_to(admin.parts, address)
        assert message.personalisation["user_name"] == name
        token = message.personalisation["url"].removeprefix("https://admin.example/organisation-invitation/")
        assert admin.get(f"/invite/organisation/check/{token}")["data"] == made
    assert len(admin.get(path)["data"]) == 2
    assert admin.get(f"{path}/x", status=404)


def test_wrong_invitations_to_organisations(admin: AdminClient, factory: Factory) -> None:
    body = {"email_address": "sam@example.gov.uk", "invited_by": str(factory.user().id), "permissions": []}
    assert admin.post(f"/organisation/{uuid4()}/invite", body, status=404)["message"] == "No result found"
    path = f"/organisation/{factory.organisation().id}/invite"
    assert admin.post(path, body | {"invited_by": str(uuid4())}, status=404)["message"] == "No result found"
    faults = schema_faults(admin.post(path, body | {"permissions": "all"}, status=400))
    assert faults == ["permissions all is not of type array"]
