"""Changes users and their memberships. Every function flushes; the caller's transaction commits."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime
from typing import Final, TypedDict, Unpack
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from notify.accounts.errors import (
    ActiveAlreadyError,
    EmailAddressTakenError,
    InvalidUserError,
    MobileNumberNeededError,
)
from notify.accounts.models import Permission, ServiceUser, User
from notify.accounts.passwords import hash_password
from notify.content.email_addresses import InvalidEmailAddress, validate
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.infra.columns import violated_constraint
from notify.infra.ids import new_public_id
from notify.infra.times import utc_now
from notify.vocabulary import AUTH_TYPES, USER_PERMISSIONS

MEMBER_PERMISSIONS: Final = (
    "manage_users",
    "manage_templates",
    "manage_settings",
    "send_texts",
    "send_emails",
    "send_letters",
    "manage_api_keys",
    "view_activity",
)
"""Permissions of the first member of a new service."""

LONGEST_EMAIL_ADDRESS: Final = 255


class UserChanges(TypedDict, total=False):
    """The fields of a user that can be changed (contract: internal-users 1.2)."""

    name: str
    email_address: str
    mobile_number: str | None
    auth_type: str
    current_session_id: UUID | None
    email_access_validated_at: datetime
    take_part_in_research: bool
    receives_new_features_email: bool
    platform_admin: bool


def create_user(
    session: Session,
    *,
    name: str,
    email_address: str,
    password: str,
    mobile_number: str | None = None,
    auth_type: str = "sms_auth",
    state: str = "pending",
    failed_login_count: int = 0,
    platform_admin: bool = False,
    logged_in_at: datetime | None = None,
    take_part_in_research: bool = True,
    receives_new_features_email: bool = True,
    user_id: UUID | None = None,
) -> User:
    """Create a user (contract: internal-users 1.1, 1.2). A user who signs in by text message needs a mobile number.

    Raises `InvalidUserError`, `MobileNumberNeededError` and `EmailAddressTakenError`.
    """
    user = User(
        id=user_id or new_public_id(),
        name=name,
        email_address=email_address,
        mobile_number=mobile_number,
        auth_type=auth_type,
        state=state,
        failed_login_count=failed_login_count,
        platform_admin=platform_admin,
        logged_in_at=logged_in_at,
        take_part_in_research=take_part_in_research,
        receives_new_features_email=receives_new_features_email,
    )
    _check(user, ("name", "email_address", "mobile_number", "auth_type"))
    user.password = hash_password(password)
    session.add(user)
    _flush(session, user)
    return user


def update_user(session: Session, user: User, **changes: Unpack[UserChanges]) -> None:
    """Change a user. Unchanged fields are not checked: archived users have addresses that no one could choose. Raises
    what `create_user` raises.
    """
    for field, value in changes.items():
        setattr(user, field, value)
    _check(user, changes)
    _flush(session, user)


def activate_user(session: Session, user: User) -> None:
    """Activate a pending user. Raises `ActiveAlreadyError`."""
    if user.state == "active":
        raise ActiveAlreadyError
    user.state = "active"
    session.flush()


def set_password(user: User, password: str) -> None:
    """Give a user a new password."""
    user.password = hash_password(password)
    user.password_changed_at = utc_now()


def _check(user: User, fields: Container[str]) -> None:
    if "name" in fields and not user.name:
        raise InvalidUserError("name", "Invalid name")
    if "email_address" in fields:
        check_email_address(user.email_address)
    if "mobile_number" in fields and user.mobile_number is not None:
        check_mobile_number(user.mobile_number)
    if user.auth_type not in AUTH_TYPES:
        raise InvalidUserError("auth_type", f"Invalid auth_type: {user.auth_type}")
    if user.mobile_number is None and user.auth_type == "sms_auth":
        raise MobileNumberNeededError


def _flush(session: Session, user: User) -> None:
    address = user.email_address
    try:
        session.flush()
    except IntegrityError as error:
        if violated_constraint(error) == "ix_users_email_address":
            raise EmailAddressTakenError(address) from None
        raise


def check_email_address(address: str) -> str:
    """The address unchanged, if a user may have it. Raises `InvalidUserError`."""
    if len(address) > LONGEST_EMAIL_ADDRESS:
        raise InvalidUserError("email_address", f"Longer than maximum length {LONGEST_EMAIL_ADDRESS}.")
    try:
        validate(address)
    except InvalidEmailAddress as error:
        raise InvalidUserError("email_address", str(error)) from None
    return address


def check_mobile_number(number: str) -> str:
    """The number as given, if a user may have it. Raises `InvalidUserError`."""
    try:
        PhoneNumber.parse(number).check(allow_international=True, allow_landline=False)
    except InvalidPhoneNumber as error:
        raise InvalidUserError("mobile_number", f"Invalid phone number: {error.api_text}") from None
    return number


def add_to_service(session: Session, user_id: UUID, service_id: UUID, permissions: Iterable[str]) -> None:
    """Make a user a member of a service with these permissions, which replace any earlier ones.

    Raises `InvalidUserError` for an unknown permission.
    """
    wanted = set(permissions)
    for permission in sorted(wanted - set(USER_PERMISSIONS)):
        raise InvalidUserError("permissions", f"Invalid permission: {permission}")
    session.merge(ServiceUser(user_id=user_id, service_id=service_id))
    session.execute(delete(Permission).where(Permission.user_id == user_id, Permission.service_id == service_id))
    session.add_all(Permission(user_id=user_id, service_id=service_id, permission=name) for name in sorted(wanted))
    session.flush()
