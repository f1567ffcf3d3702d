"""Creating users and members."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy.orm import Session

from notify.accounts.actions import activate_user, add_to_service, create_user, update_user
from notify.accounts.errors import (
    ActiveAlreadyError,
    EmailAddressTakenError,
    InvalidUserError,
    MobileNumberNeededError,
)
from notify.accounts.models import User
from notify.accounts.passwords import is_password
from notify.accounts.queries import find_users, permissions_in_service, user_by_email
from notify.infra.parts import Parts
from tests.services.factory import a_service, a_user

ADA: dict[str, Any] = {
    "name": "Ada",
    "email_address": "Ada@Example.com",
    "password": "correct horse",
    "mobile_number": "07700 900123",
}


def test_create_user(parts: Parts) -> None:
    with parts.database.transaction() as session:
        created = create_user(session, **ADA)
    with parts.database.session() as session:
        user = session.get_one(User, created.id)
        assert (user.name, user.email_address, user.mobile_number) == ("Ada", "Ada@Example.com", "07700 900123")
        assert (user.state, user.auth_type, user.platform_admin, user.failed_login_count) == (
            "pending",
            "sms_auth",
            False,
            0,
        )
        assert (user.take_part_in_research, user.receives_new_features_email) == (True, True)
        assert is_password(user.password, "correct horse")
        found = user_by_email(session, "ADA@example.COM")
        assert found is not None
        assert found.id == user.id
        assert user_by_email(session, "bob@example.com") is None


def test_an_address_is_taken_in_whatever_case(parts: Parts) -> None:
    with parts.database.session() as session:
        create_user(session, **ADA)
        with pytest.raises(EmailAddressTakenError):
            create_user(session, **(ADA | {"email_address": "ada@example.com"}))


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"name": ""}, "name", "Invalid name"),
        ({"email_address": "nobody"}, "email_address", "Not a valid email address"),
        ({"email_address": f"{'x' * 250}@example.com"}, "email_address", "Longer than maximum length 255."),
        ({"mobile_number": ""}, "mobile_number", "Invalid phone number: Not enough digits"),
        (
            {"mobile_number": "0770090012x"},
            "mobile_number",
            "Invalid phone number: Must not contain letters or symbols",
        ),
        ({"auth_type": "smoke"}, "auth_type", "Invalid auth_type: smoke"),
    ],
)
def test_refused(parts: Parts, changes: dict[str, str | None], field: str, message: str) -> None:
    with parts.database.session() as session, pytest.raises(InvalidUserError) as caught:
        create_user(session, **(ADA | changes))
    assert (caught.value.field, caught.value.messages) == (field, [message])


def test_who_signs_in_by_text_needs_a_number(parts: Parts) -> None:
    with parts.database.session() as session:
        with pytest.raises(MobileNumberNeededError):
            create_user(session, **(ADA | {"mobile_number": None}))
        user = create_user(session, **ADA)
        with pytest.raises(MobileNumberNeededError):
            update_user(session, user, mobile_number=None)


def test_a_user_is_changed_and_let_in(parts: Parts) -> None:
    with parts.database.transaction() as session:
        user = create_user(session, **ADA)
        taken = create_user(session, **(ADA | {"email_address": "bob@example.com"})).email_address
        update_user(session, user, name="Grace", mobile_number=None, auth_type="email_auth")
        activate_user(session, user)
        with pytest.raises(ActiveAlreadyError):
            activate_user(session, user)
    with parts.database.session() as session:
        user = session.get_one(User, user.id)
        assert (user.name, user.mobile_number, user.auth_type, user.state) == ("Grace", None, "email_auth", "active")
        assert user.updated_at is not None
        with pytest.raises(EmailAddressTakenError):
            update_user(session, user, email_address=taken.upper())


def found(session: Session, part: str) -> list[dict[str, str]]:
    users: list[dict[str, str]] = json.loads(find_users(session, part))
    return users


def test_finding_users_by_a_part_takes_no_wildcards(parts: Parts) -> None:
    with parts.database.transaction() as session:
        for name in ("a%b", "a_b", "ab/c", "axb"):
            a_user(session, email_address=f"{name}@example.com")
        assert [row["email_address"] for row in found(session, "A%B")] == ["a%b@example.com"]
        assert [row["email_address"] for row in found(session, "A_B")] == ["a_b@example.com"]
        assert [row["email_address"] for row in found(session, "b/c@")] == ["ab/c@example.com"]
        assert found(session, "\\") == []


def test_who_signs_in_by_email_needs_no_number(parts: Parts) -> None:
    with parts.database.session() as session:
        user = create_user(session, **(ADA | {"mobile_number": None, "auth_type": "email_auth"}))
        assert user.mobile_number is None


@pytest.mark.parametrize("number", ["+1 202 555 0104", "+447700900123", "07700900123"])
def test_numbers_may_be_international(parts: Parts, number: str) -> None:
    with parts.database.session() as session:
        assert create_user(session, **(ADA | {"mobile_number": number})).mobile_number == number


def test_permissions_of_a_member_are_replaced(parts: Parts) -> None:
    with parts.database.transaction() as session:
        service, user = a_service(session), a_user(session)
        add_to_service(session, user.id, service.id, ["send_texts", "view_activity"])
        add_to_service(session, user.id, service.id, ["manage_settings"])
        assert permissions_in_service(session, user.id, service.id) == ["manage_settings"]
        with pytest.raises(InvalidUserError, match="Invalid permission: fly"):
            add_to_service(session, user.id, service.id, ["fly"])
