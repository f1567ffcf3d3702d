"""Emergency alerts in the internal API: both forms of areas, approval, and the services of alerts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from notify.accounts.models import User
from notify.internal.auth import Client
from notify.services.members import add_member
from notify.services.models import Service
from notify.services.permissions import set_permissions
from notify.teams.models import ServiceInvitation
from tests.api import queued
from tests.internal.admin import AdminClient, Factory, schema_faults

SQUARE = [[51.5, -0.1], [51.6, -0.1], [51.6, 0.0], [51.5, -0.1]]
AREAS = {"ids": ["a"], "names": ["Ash"], "aggregate_names": ["Ash"], "simple_polygons": [SQUARE]}


@pytest.fixture
def author(factory: Factory) -> User:
    return factory.user()


@pytest.fixture
def service(factory: Factory, author: User) -> Service:
    """A live service of emergency alerts."""
    made = factory.service(user_id=author.id, restricted=False)
    with factory.parts.database.transaction() as session:
        set_permissions(session, made.id, ["broadcast"])
    return made


@pytest.fixture
def approver(factory: Factory, service: Service) -> User:
    user = factory.user()
    with factory.parts.database.transaction() as session:
        add_member(session, service.id, user.id, ["view_activity"])
    return user


def _path(service: Service, *parts: str) -> str:
    return "/".join((f"/service/{service.id}/broadcast-message", *parts))


def _draft(admin: AdminClient, service: Service, author: User, **fields: Any) -> Any:
    body = {"service_id": str(service.id), "created_by": str(author.id)}
    usual = {"content": "Water is rising.", "reference": "flood", "areas": AREAS}
    return admin.post(_path(service), body | (fields or usual), status=201)


def _move(admin: AdminClient, service: Service, message: Any, status: str, user: User, *, expect: int = 200) -> Any:
    body = {"status": status, "created_by": str(user.id)}
    return admin.post(_path(service, message["id"], "status"), body, status=expect)


def test_a_text_of_its_own_is_drafted(admin: AdminClient, service: Service, author: User) -> None:
    message = _draft(admin, service, author, content="“Go”\r\nup", reference="a flood")
    assert message.pop("created_at").endswith("Z")
    assert message == {
        "id": message["id"],
        "service_id": str(service.id),
        "template_id": None,
        "template_version": None,
        "template_name": None,
        "personalisation": None,
        "content": '"Go"\nup',
        "reference": "a flood",
        "cap_event": None,
        "areas": {},
        "status": "draft",
        "starts_at": None,
        "finishes_at": None,
        "approved_at": None,
        "cancelled_at": None,
        "updated_at": None,
        "created_by_id": str(author.id),
        "approved_by_id": None,
        "cancelled_by_id": None,
    }
    assert admin.get(_path(service, message["id"]))["content"] == '"Go"\nup'


@pytest.mark.parametrize(
    ("fields", "endings"),
    [
        ({"content": "x"}, ["is not valid under any of the given schemas"]),
        ({"reference": "x"}, ["is not valid under any of the given schemas"]),
        ({"content": ""}, ["content  should be non-empty"]),
        ({"content": "x", "reference": ""}, ["reference  should be non-empty"]),
        ({"content": "x", "reference": "y" * 256}, [f"reference {'y' * 256} is too long"]),
        ({"content": "x", "reference": "y", "areas": 5}, ["areas 5 is not of type array"]),
        (
            {"content": "x", "reference": "y", "areas": ["a", 1, None]},
            ["areas 1 is not of type string", "areas None is not of type string"],
        ),
        ({}, ["template_id is a required property"]),
    ],
)
def test_drafts_that_are_refused(
    admin: AdminClient, service: Service, author: User, fields: dict[str, Any], endings: list[str]
) -> None:
    body = {"service_id": str(service.id), "created_by": str(author.id), **fields}
    faults = schema_faults(admin.post(_path(service), body, status=400))
    assert len(faults) == len(endings)
    assert all(fault.endswith(ending) for fault, ending in zip(faults, endings, strict=True)), faults


def test_a_template_and_a_text_exclude_each_other(
    admin: AdminClient, factory: Factory, service: Service, author: User
) -> None:
    template = factory.template(service, "broadcast", subject=None)
    body = {"service_id": str(service.id), "created_by": str(author.id), "template_id": str(template.id)}
    both = schema_faults(admin.post(_path(service), body | {"content": "x", "reference": "y"}, status=400))
    assert both[0].endswith(" is valid under each of {required: [content]}, {required: [template_id]}")
    assert both[1].endswith(" is valid under each of {required: [reference]}, {required: [template_id]}")


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("a" * 1396, "Content must be 1,395 characters or fewer"),
        ("ŵ" * 616, "Content must be 615 characters or fewer (because it could not be GSM7 encoded)"),
    ],
)
def test_a_text_may_be_so_long(admin: AdminClient, service: Service, author: User, content: str, text: str) -> None:
    body = {"service_id": str(service.id), "created_by": str(author.id), "content": content, "reference": "x"}
    assert admin.post(_path(service), body, status=400) == {"result": "error", "message": text}


def test_values_are_bounded(admin: AdminClient, factory: Factory, service: Service, author: User) -> None:
    template = factory.template(service, "broadcast", subject=None, content="((a))" * 300)
    body = {"service_id": str(service.id), "created_by": str(author.id), "template_id": str(template.id)}
    admin.post(_path(service), body | {"personalisation": {"a": "x" * 70_000}}, status=400)
    admin.post(_path(service), body | {"personalisation": {"a": "x" * 60_000}}, status=400)
    assert admin.get(_path(service)) == {"broadcast_messages": []}


def test_areas_of_a_template_s_message_decide_its_form(
    admin: AdminClient, factory: Factory, service: Service, author: User
) -> None:
    template = factory.template(service, "broadcast", subject=None, content="Water at ((place)).")
    fields = {"template_id": str(template.id), "personalisation": {"place": "Ash"}}
    message = _draft(admin, service, author, **fields)
    assert (message["areas"], message["simple_polygons"], message["approved_by_id"]) == ([], [], "None")
    changed = admin.post(_path(service, message["id"]), {"areas": AREAS})
    assert (changed["areas"], changed["approved_by_id"], changed["content"]) == (AREAS, None, "Water at Ash.")
    assert "simple_polygons" not in changed
    changed = admin.post(_path(service, message["id"]), {"personalisation": {"place": "Elm"}})
    assert changed["content"] == "Water at Elm."


def test_ids_and_polygons_come_together(admin: AdminClient, service: Service, author: User) -> None:
    message = _draft(admin, service, author)
    for areas in ({"ids": ["a"]}, {"simple_polygons": [SQUARE], "names": ["x"]}):
        answer = admin.post(_path(service, message["id"]), {"areas": areas}, status=400)
        text = f"Cannot update broadcast_message {message['id']}, area IDs or polygons are missing."
        assert answer["message"] == text


def test_a_change_that_changes_nothing_leaves_no_trace(admin: AdminClient, service: Service, author: User) -> None:
    message = _draft(admin, service, author)
    same = admin.post(_path(service, message["id"]), {"areas": AREAS})
    assert same["updated_at"] is None
    dated = admin.post(_path(service, message["id"]), {"starts_at": "2030-05-01T10:00:00+02:00"})
    assert dated["starts_at"] == "2030-05-01T10:00:00.000000Z"
    assert dated["updated_at"] is not None


@pytest.mark.parametrize("status", ["asleep", None, 5, ["draft"]])
def test_a_status_that_is_none(admin: AdminClient, service: Service, author: User, status: Any) -> None:
    body = {"status": status, "created_by": str(author.id)}
    (fault,) = schema_faults(admin.post(f"{_path(service)}/{uuid4()}/status", body, status=400))
    assert fault.startswith(f"status {status} is not one of [draft, ".replace("'", ""))


def test_a_second_person_approves_and_networks_are_alerted(
    admin: AdminClient, service: Service, author: User, approver: User
) -> None:
    message = _draft(admin, service, author)
    answer = _move(admin, service, message, "broadcasting", approver, expect=400)
    assert answer["message"] == f"Cannot move broadcast_message {message['id']} from draft to broadcasting"
    _move(admin, service, message, "pending-approval", author)
    answer = _move(admin, service, message, "broadcasting", author, expect=400)
    assert answer["message"] == f"User {author.id} cannot approve their own broadcast_message {message['id']}"
    queued(admin.parts)
    live = _move(admin, service, message, "broadcasting", approver)
    assert live["approved_by_id"] == str(approver.id)
    assert [task for task, _ in queued(admin.parts)] == ["send-broadcast-event"]
    _move(admin, service, message, "cancelled", author)
    assert [task for task, _ in queued(admin.parts)] == ["send-broadcast-event"]


def test_an_alert_needs_areas(admin: AdminClient, service: Service, author: User, approver: User) -> None:
    message = _draft(admin, service, author, content="x", reference="y")
    _move(admin, service, message, "pending-approval", author)
    answer = _move(admin, service, message, "broadcasting", approver, expect=400)
    text = f"broadcast_message {message['id']} has no selected areas and so cannot be broadcasted."
    assert answer["message"] == text


def test_a_platform_admin_may_cancel_but_not_approve(
    admin: AdminClient, factory: Factory, service: Service, author: User, approver: User
) -> None:
    chief = factory.user(platform_admin=True)
    message = _draft(admin, service, author)
    _move(admin, service, message, "pending-approval", author)
    answer = _move(admin, service, message, "broadcasting", chief, expect=400)
    text = f"User {chief.id} cannot update broadcast_message {message['id']} from other service"
    assert answer["message"] == text
    _move(admin, service, message, "broadcasting", approver)
    assert _move(admin, service, message, "cancelled", chief)["cancelled_by_id"] == str(chief.id)


def test_an_archived_service_sends_no_alerts(admin: AdminClient, service: Service, author: User) -> None:
    message = _draft(admin, service, author)
    admin.post(f"/service/{service.id}/archive", status=204)
    answer = _move(admin, service, message, "pending-approval", author, expect=403)
    assert answer["message"] == "Updating broadcast message is not allowed: service is inactive "


def test_a_service_is_made_one_of_alerts(admin: AdminClient, factory: Factory) -> None:
    member = factory.user()
    service = factory.service(user_id=member.id)
    with factory.parts.database.transaction() as session:
        set_permissions(session, service.id, ["sms", "email_auth"])
    factory.api_key(service)
    invitation = factory.row(
        ServiceInvitation(
            email_address="new@example.gov.uk",
            user_id=member.id,
            service_id=service.id,
            permissions="manage_settings,send_texts",
        )
    )
    body = {"broadcast_channel": "government", "service_mode": "live", "provider_restriction": "all"}
    made = admin.post(f"/service/{service.id}/set-as-broadcast-service", body)["data"]
    assert (made["broadcast_channel"], made["allowed_broadcast_provider"]) == ("government", "all")
    assert made["permissions"] == ["broadcast", "email_auth"]
    assert (made["restricted"], made["count_as_live"]) == (False, False)
    assert made["go_live_at"] is not None
    assert made["organisation"] == "38e4bf69-93b0-445d-acee-53ea53fe02df"
    assert made["organisation_type"] == "central"
    assert admin.get(f"/user/{member.id}")["data"]["permissions"][str(service.id)] == ["view_activity"]
    assert admin.get(f"/service/{service.id}/api-keys")["apiKeys"][0]["expiry_date"] is not None
    pending = admin.get(f"/service/{service.id}/invite/{invitation.id}")["data"]
    assert pending["permissions"] == "view_activity"
    again = {"broadcast_channel": "test", "service_mode": "training", "provider_restriction": "ee"}
    made = admin.post(f"/service/{service.id}/set-as-broadcast-service", again)["data"]
    assert (made["restricted"], made["go_live_at"]) == (True, None)
    assert (made["broadcast_channel"], made["allowed_broadcast_provider"]) == ("test", "ee")
    assert admin.get(f"/service/{service.id}")["data"] == made


def test_what_makes_a_service_one_of_alerts_is_checked(admin: AdminClient, service: Service) -> None:
    path = f"/service/{service.id}/set-as-broadcast-service"
    assert schema_faults(admin.post(path, {}, status=400)) == [
        "broadcast_channel is a required property",
        "service_mode is a required property",
        "provider_restriction is a required property",
    ]
    body = {"broadcast_channel": "extreme", "service_mode": "live", "provider_restriction": "all"}
    assert schema_faults(admin.post(path, body, status=400)) == [
        "broadcast_channel extreme is not one of [operator, test, severe, government]"
    ]


def test_other_services_have_no_channel(admin: AdminClient, factory: Factory) -> None:
    answer = admin.get(f"/service/{factory.service().id}")["data"]
    assert "allowed_broadcast_provider" not in answer


def test_the_public_site_reads_what_went_out(
    admin: AdminClient, service: Service, author: User, approver: User
) -> None:
    site = replace(admin, client=Client.ALERTS)
    shown, draft = _draft(admin, service, author), _draft(admin, service, author)
    for message in (shown, draft):
        admin.post(_path(service, message["id"]), {"starts_at": "2023-05-01T10:00:00"})
    _move(admin, service, shown, "pending-approval", author)
    _move(admin, service, shown, "broadcasting", approver)
    alerts = {alert["id"]: alert for alert in site.get("/govuk-alerts")["alerts"]}
    assert draft["id"] not in alerts
    alert = alerts[shown["id"]]
    assert alert.pop("approved_at") is not None
    assert alert == {
        "id": shown["id"],
        "reference": "flood",
        "channel": "severe",
        "content": "Water is rising.",
        "areas": AREAS,
        "status": "broadcasting",
        "starts_at": "2023-05-01T10:00:00.000000Z",
        "finishes_at": None,
        "cancelled_at": None,
    }
    assert admin.call("GET", "/govuk-alerts").status_code == 401


def test_an_invitation_says_what_the_service_is_for(admin: AdminClient, service: Service, author: User) -> None:
    body = {
        "service": str(service.id),
        "email_address": "guest@example.gov.uk",
        "from_user": str(author.id),
        "permissions": "view_activity",
        "auth_type": "sms_auth",
        "folder_permissions": [],
    }
    admin.post(f"/service/{service.id}/invite", body, status=201)
    with admin.parts.database.connection() as connection:
        rows = connection.execute(
            "SELECT template_id FROM notifications WHERE normalised_to = 'guest@example.gov.uk' ORDER BY created_at DESC"
        ).fetchall()
    assert str(rows[0][0]) == "46152f7c-6901-41d5-8590-a5624d0d4359"


def test_a_template_s_content_is_listed_of_alerts_only(admin: AdminClient, factory: Factory, service: Service) -> None:
    factory.template(service, "broadcast", subject=None, content="Go up.", name="Flood")
    (listed,) = admin.get(f"/service/{service.id}/template")["data"]
    assert listed["content"] == "Go up."
    preview = admin.get(f"/service/{service.id}/template/{listed['id']}/preview")
    assert preview["content"] == "Go up."


def test_a_template_of_alerts_makes_no_messages(
    admin: AdminClient, factory: Factory, service: Service, author: User
) -> None:
    template = factory.template(service, "broadcast", subject=None, content="Go up.")
    full = factory.api_key(service)
    headers = {"Authorization": f"ApiKey-v1 {full}"}
    for kind, recipient in (("sms", {"phone_number": "07900900123"}), ("email", {"email_address": "a@example.com"})):
        body = {"template_id": str(template.id), **recipient}
        answer = admin.call("POST", f"/v2/notifications/{kind}", body=body, headers=headers)
        assert answer.status_code == 400, answer.text
    letter = {
        "template_id": str(template.id),
        "personalisation": {"address_line_1": "A", "address_line_2": "B", "address_line_3": "SW1A 1AA"},
    }
    assert admin.call("POST", "/v2/notifications/letter", body=letter, headers=headers).status_code == 400
    (shown,) = admin.call("GET", "/v2/templates", headers=headers).get_json()["templates"]
    assert (shown["type"], shown["body"]) == ("broadcast", "Go up.")
    assert admin.call("GET", f"/v2/template/{template.id}", headers=headers).status_code == 200
    assert admin.call("POST", f"/v2/template/{template.id}/preview", body={}, headers=headers).status_code == 200
    one_off = {"template_id": str(template.id), "to": "07900900123", "created_by": str(author.id)}
    assert admin.call("POST", f"/service/{service.id}/send-notification", body=one_off).status_code < 500
