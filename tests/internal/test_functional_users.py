"""Users of functional tests."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from notify.accounts.models import User
from notify.accounts.passwords import is_password
from notify.accounts.queries import user_by_email
from notify.app import EXTENSION, create_app
from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.internal.auth import Client
from notify.services.models import Service
from tests.internal.admin import AdminClient, Factory, schema_faults

PATH = "/__testing/functional/users"


@pytest.fixture(scope="module")
def client(internal_app: Flask, internal_parts: Parts) -> AdminClient:
    return AdminClient(internal_app, internal_parts, Client.FUNCTIONAL_TESTS)


def wanted(service: Service, **more: Any) -> dict[str, Any]:
    return {
        "name": "Tess",
        "email_address": f"{new_id()}@digital.example.com",
        "mobile_number": "07700900123",
        "auth_type": "sms_auth",
        "password": "correct horse battery",
        "state": "active",
        "permissions": ["view_activity", "send_texts"],
        "service_id": str(service.id),
    } | more


def look(factory: Factory, address: str) -> User:
    with factory.session() as session:
        user = user_by_email(session, address)
        assert user is not None
        return user


def shown(admin: AdminClient, user: User) -> dict[str, Any]:
    found: dict[str, Any] = admin.get(f"/user/{user.id}")["data"]
    return found


def test_users_are_made_and_overwritten(
    client: AdminClient, admin: AdminClient, factory: Factory, service: Service
) -> None:
    first, other = factory.organisation(), factory.organisation()
    body = wanted(service, organisation_id=str(first.id))
    answer = client.call("PUT", PATH, body=[body, wanted(service)])
    assert (answer.status_code, answer.text) == (201, "ok")
    user = look(factory, body["email_address"])
    assert is_password(user.password, "correct horse battery")
    assert user.email_access_validated_at is not None
    data = shown(admin, user)
    assert data["organisations"] == [str(first.id)]
    assert sorted(data["permissions"][str(service.id)]) == ["send_texts", "view_activity"]

    second = factory.service()
    changed = body | {
        "name": "Theo",
        "password": "another one altogether",
        "auth_type": "email_auth",
        "state": "pending",
        "permissions": ["manage_settings"],
        "organisation_id": str(other.id),
    }
    assert client.call("PUT", PATH, body=[changed, changed | {"service_id": str(second.id)}]).status_code == 201
    again = look(factory, body["email_address"])
    assert again.id == user.id
    assert (again.name, again.auth_type, again.state, again.platform_admin) == ("Theo", "email_auth", "pending", False)
    assert is_password(again.password, "another one altogether")
    data = shown(admin, again)
    assert data["organisations"] == [str(other.id)]
    assert data["permissions"] == {str(service.id): ["manage_settings"], str(second.id): ["manage_settings"]}
    assert client.call("PUT", PATH, body=[{**changed, "organisation_id": None}]).status_code == 201
    assert shown(admin, again)["organisations"] == []


def test_a_platform_admin_becomes_a_usual_user(client: AdminClient, factory: Factory, service: Service) -> None:
    user = factory.user(platform_admin=True)
    client.call("PUT", PATH, body=[wanted(service, email_address=user.email_address)])
    assert look(factory, user.email_address).platform_admin is False


def test_a_wrong_user_changes_nothing(client: AdminClient, factory: Factory, service: Service) -> None:
    good = wanted(service)
    for wrong in (
        wanted(service, email_address="not an address"),
        wanted(service, permissions=["fly"]),
        wanted(service, auth_type="smoke"),
        wanted(service, mobile_number="12"),
        wanted(service, service_id=str(new_id())),
        wanted(service, organisation_id=str(new_id())),
        {name: value for name, value in wanted(service).items() if name != "password"},
        7,
    ):
        answer = client.call("PUT", PATH, body=[good, wrong])
        assert 400 <= answer.status_code < 500, (wrong, answer.text)
    with factory.session() as session:
        assert user_by_email(session, good["email_address"]) is None
    for body in ({}, "x", {"users": [good]}):
        assert client.call("PUT", PATH, body=body).status_code == 400
    answer = client.call("PUT", PATH, body=[wanted(service, email_address="x")])
    assert schema_faults(answer.get_json())


def test_only_the_functional_tests_may(admin: AdminClient, service: Service) -> None:
    assert admin.call("PUT", PATH, body=[wanted(service)]).status_code == 401
    assert admin.call("PUT", PATH, body=[], headers={}).status_code == 401


def test_it_is_not_there_unless_switched_on(internal_parts: Parts, service: Service) -> None:
    app = create_app(internal_parts.settings.changed(register_functional_testing_blueprint=False))
    client = AdminClient(app, internal_parts, Client.FUNCTIONAL_TESTS)
    assert client.call("PUT", PATH, body=[wanted(service)]).status_code == 404
    app.extensions[EXTENSION].close()
