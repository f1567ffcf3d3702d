"""Passwords, codes and links of sign-in."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from notify.accounts.models import User
from notify.infra.container import Container
from notify.infra.url_tokens import UrlTokens
from notify.messages.models import Notification
from notify.messages.queries import MessageReader
from notify.services.models import NOTIFY_SERVICE_ID
from tests.internal.admin import AdminClient, Factory, schema_faults

HOST = "https://admin.example.gov.uk"


def messages_to(admin: AdminClient, factory: Factory, recipient: str) -> list[dict[str, Any]]:
    """What Notify sent to a recipient, newest first: personalisation and sender."""
    container = Container(admin.parts)
    with factory.session() as session:
        ids = session.scalars(
            select(Notification.id)
            .where(Notification.normalised_to == recipient, Notification.service_id == NOTIFY_SERVICE_ID)
            .order_by(Notification.created_at.desc(), Notification.id.desc())
        ).all()
        senders = {row.id: row.reply_to_text for row in session.scalars(select(Notification))}
    found = []
    for id_ in ids:
        message = container.get(MessageReader).get(NOTIFY_SERVICE_ID, id_)
        assert message is not None
        found.append({**message.personalisation, "sender": senders[id_]})
    container.close()
    return found


def told(admin: AdminClient, token: str) -> dict[str, str]:
    """What a token of a link says."""
    settings = admin.parts.settings
    tokens = UrlTokens(settings.secret_key, settings.dangerous_salt, settings.token_secret_key)
    says: dict[str, str] = json.loads(tokens.read(token, 3600))
    return says


def test_a_password_by_text_and_the_session_that_it_starts(admin: AdminClient, factory: Factory) -> None:
    made = admin.post(
        "/user",
        {
            "name": "Ada",
            "email_address": f"{uuid4()}@example.gov.uk",
            "password": "correct horse battery",
            "mobile_number": "07700 900941",
            "state": "active",
        },
        status=201,
    )["data"]
    path = f"/user/{made['id']}"
    wrong = admin.post(f"{path}/verify/password", {"password": "wrong"}, status=400)
    assert wrong["message"] == {"password": ["Incorrect password"]}
    missing = admin.post(f"{path}/verify/password", {}, status=400)
    assert missing["message"] == {"password": ["Required field missing data"]}
    assert admin.get(path)["data"]["failed_login_count"] == 1
    admin.post(f"{path}/verify/password", {"password": "correct horse battery"}, status=204)

    admin.post(f"{path}/sms-code", {}, status=204)
    code = messages_to(admin, factory, "447700900941")[0]["verify_code"]
    assert re.fullmatch(r"\d{5}", code)
    assert admin.post(f"{path}/verify/code", {"code": "x", "code_type": "sms"}, status=404) == {
        "result": "error",
        "message": "Code not found",
    }
    admin.post(f"{path}/verify/code", {"code": code, "code_type": "sms"}, status=204)
    user = admin.get(path)["data"]
    assert user["failed_login_count"] == 0
    assert user["current_session_id"] is not None
    again = admin.post(f"{path}/verify/code", {"code": code, "code_type": "sms"}, status=400)
    assert again["message"] == "Code has expired"


def test_codes_abroad_come_from_a_number_where_only_those_are_taken(admin: AdminClient, factory: Factory) -> None:
    user = factory.user()
    admin.post(f"/user/{user.id}/sms-code", {"to": "+1 202 555 0104"}, status=204)  # the United States
    assert messages_to(admin, factory, "12025550104")[0]["sender"] == "07984404008"
    admin.post(f"/user/{user.id}/sms-code", {"to": "+33 6 12 34 56 78"}, status=204)
    assert messages_to(admin, factory, "33612345678")[0]["sender"] != "07984404008"


@pytest.mark.parametrize(
    ("number", "message"),
    [
        ("0770", "Mobile number is too short"),
        ("020 7946 0991", "This does not look like a UK mobile number – double check the mobile number you entered"),
        ("", "Mobile number is too short"),
    ],
)
def test_a_code_to_a_number_that_takes_none(admin: AdminClient, factory: Factory, number: str, message: str) -> None:
    user = factory.user(auth_type="email_auth", mobile_number=None)
    assert admin.post(f"/user/{user.id}/sms-code", {"to": number}, status=400)["message"] == message


def test_what_a_request_for_a_code_must_be(admin: AdminClient, factory: Factory) -> None:
    path = f"/user/{factory.user().id}"
    faults = schema_faults(admin.post(f"{path}/email-code", {"to": "a@example.com"}, status=400))
    assert faults == ["to a@example.com is not of type null"]
    faults = schema_faults(admin.post(f"{path}/sms-code", {"next": "/"}, status=400))
    assert faults == ["Additional properties are not allowed (next was unexpected)"]
    assert "was not found on the server" in admin.post(f"{path}/letter-code", {}, status=404)["message"]
    assert admin.post(f"/user/{uuid4()}/sms-code", {}, status=404)["message"] == "No result found"
    for _ in range(5):
        admin.post(f"{path}/sms-code", {"to": None}, status=204)
    admin.post(f"{path}/sms-code", {"more": 1}, status=204)


def test_a_link_of_sign_in(admin: AdminClient, factory: Factory) -> None:
    user = factory.user(auth_type="email_auth")
    asked = {"to": None, "email_auth_link_host": HOST, "next": "/services?x=1"}
    admin.post(f"/user/{user.id}/email-code", asked, status=204)
    url = messages_to(admin, factory, user.email_address)[0]["url"]
    match = re.fullmatch(rf"{HOST}/email-auth/([^?]+)\?next=%2Fservices%3Fx%3D1", url)
    assert match is not None
    says = told(admin, match[1])
    assert says["user_id"] == str(user.id)
    validated = admin.get(f"/user/{user.id}")["data"]["email_access_validated_at"]
    admin.post(f"/user/{user.id}/verify/code", {"code": says["secret_code"], "code_type": "email"}, status=204)
    assert admin.get(f"/user/{user.id}")["data"]["email_access_validated_at"] > validated


def test_a_link_that_resets_the_password(admin: AdminClient, factory: Factory) -> None:
    user = factory.user()
    body = {"email": user.email_address.upper(), "admin_base_url": HOST, "next": "/your-account"}
    admin.post("/user/reset-password", body, status=204)
    sent = messages_to(admin, factory, user.email_address)[0]
    match = re.fullmatch(rf"{HOST}/new-password/([^?]+)\?next=%2Fyour-account", sent["url"])
    assert match is not None
    says = told(admin, match[1])
    assert says["email"] == user.email_address
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", says["created_at"])
    changed = admin.post(f"/user/{user.id}/update-password", {"_password": "battery staple"})["data"]
    assert changed["password_changed_at"] > says["created_at"]
    admin.post(f"/user/{user.id}/verify/password", {"password": "battery staple"}, status=204)
    assert admin.post("/user/reset-password", {"email": "nobody@example.gov.uk"}, status=404)["message"]


def test_a_password_is_needed_to_change_it(admin: AdminClient, factory: Factory) -> None:
    path = f"/user/{factory.user().id}/update-password"
    for body, message in (
        ({}, {"_password": ["Missing data for required field."]}),
        ({"_password": None}, {"_password": ["Field may not be null."]}),
        ({"password": "x"}, {"_schema": ["Unknown field name password"]}),
    ):
        assert admin.post(path, body, status=400)["message"] == message
    raw = '{"_password": "x", "b": 1, "a": 2}'
    refused = admin.call("POST", path, raw=raw, headers=as_json(admin))
    assert refused.get_json()["message"] == {"_schema": ["Unknown field name b"]}


def as_json(admin: AdminClient) -> dict[str, str]:
    return {"Authorization": f"Bearer {admin.token()}", "Content-Type": "application/json"}


def test_links_that_prove_an_address(admin: AdminClient, factory: Factory) -> None:
    user = factory.user(state="pending")
    admin.post(f"/user/{user.id}/email-verification", {"admin_base_url": HOST, "to": "x"}, status=204)
    url = messages_to(admin, factory, user.email_address)[0]["url"]
    says = told(admin, url.removeprefix(f"{HOST}/verify-email/"))
    assert says == {"user_id": str(user.id), "email": user.email_address}
    new = f"{uuid4()}@example.gov.uk"
    admin.post(f"/user/{user.id}/change-email-verification", {"email": new}, status=204)
    url = messages_to(admin, factory, new)[0]["url"]
    usual = admin.parts.settings.admin_base_url
    says = told(admin, url.removeprefix(f"{usual}/your-account/email/confirm/"))
    assert says == {"user_id": str(user.id), "email": new}
    twice = f"{uuid4()}@example.gov.uk"
    admin.post(f"/user/{uuid4()}/email-already-registered", {"email": twice}, status=204)
    assert messages_to(admin, factory, twice)[0]["signin_url"] == f"{usual}/sign-in"


def test_who_is_changed_by_somebody_else_is_written_to(admin: AdminClient, factory: Factory) -> None:
    user, manager = factory.user(), factory.user(name="Manager")
    new = f"{uuid4()}@example.gov.uk"
    body = {"email_address": new, "mobile_number": "07700900942", "updated_by": str(manager.id)}
    admin.post(f"/user/{user.id}", body)
    assert messages_to(admin, factory, new)[0]["servicemanagername"] == "Manager"
    assert messages_to(admin, factory, "447700900942") == []
    admin.post(f"/user/{user.id}", {"mobile_number": "07700 900943", "updated_by": str(manager.id)})
    assert messages_to(admin, factory, "447700900943")[0]["servicemanagername"] == "Manager"
    for nobody in (str(uuid4()), "x", None):
        refused = admin.post(f"/user/{user.id}", {"name": "New", "updated_by": nobody}, status=404)
        assert refused["message"] == "No result found"
    with factory.session() as session:
        assert session.get_one(User, user.id).name == user.name


def test_no_answer_has_a_secret(admin: AdminClient, factory: Factory) -> None:
    user = factory.user(password="$argon2id$not-for-anybody")
    key = {"name": "Key", "credential_data": "AA==", "registration_response": "bm90IGZvciBhbnlib2R5"}
    admin.post(f"/user/{user.id}/webauthn", key, status=201)
    texts = [
        admin.call("GET", f"/user/{user.id}").text,
        admin.call("GET", f"/user/{user.id}/webauthn").text,
        admin.call("GET", "/user").text,
        admin.call("POST", "/platform-admin/users-list", body={"take_part_in_research": None}).text,
        admin.call("POST", "/user/find-users-by-email", body={"email": user.email_address}).text,
    ]
    for text in texts:
        assert "not-for-anybody" not in text
        assert "bm90IGZvciBhbnlib2R5" not in text
        assert str(user.id) in text
