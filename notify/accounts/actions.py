"""Changing users and their memberships. Every function flushes; the caller's transaction commits."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from notify.accounts.errors import EmailAddressTakenError, InvalidUserError
from notify.accounts.models import Permission, ServiceUser, User
from notify.accounts.passwords import hash_password
from notify.content.email_addresses import InvalidEmailAddress, validate
from notify.content.phone_numbers import InvalidPhoneNumber, PhoneNumber
from notify.infra.columns import violated_constraint
from notify.infra.ids import new_public_id
from notify.infra.times import utc_now
from notify.vocabulary import AUTH_TYPES, USER_PERMISSIONS, USER_STATES

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


def create_user(
    session: Session,
    *,
    name: str,
    email_address: str,
    password: str,
    mobile_number: str | None = None,
    auth_type: str = "sms_auth",
    state: str = "pending",
    platform_admin: bool = False,
    user_id: UUID | None = None,
) -> User:
    """Create a user (contract: internal-users 1.1, 1.2). A user who signs in by text message needs a mobile number.

    Raises `InvalidUserError` (its text is the contract's) and `EmailAddressTakenError`.
    """
    if not name:
        raise InvalidUserError("name", "Invalid name")
    if auth_type not in AUTH_TYPES:
        raise InvalidUserError("auth_type", f"Invalid auth_type: {auth_type}")
    if state not in USER_STATES:
        raise InvalidUserError("state", f"Invalid state: {state}")
    if mobile_number is None and auth_type == "sms_auth":
        raise InvalidUserError("mobile_number", "Mobile number must be set if auth_type is set to sms_auth")
    user = User(
        id=user_id or new_public_id(),
        name=name,
        email_address=_checked_address(email_address),
        mobile_number=None if mobile_number is None else _checked_number(mobile_number),
        password=hash_password(password),
        auth_type=auth_type,
        state=state,
        platform_admin=platform_admin,
    )
    session.add(user)
    try:
        session.flush()
    except IntegrityError as error:
        if violated_constraint(error) == "ix_users_email_address":
            raise EmailAddressTakenError(email_address) from None
        raise
    return user


def set_password(user: User, password: str) -> None:
    """Give a user a new password."""
    user.password = hash_password(password)
    user.password_changed_at = utc_now()


def _checked_address(address: str) -> str:
    if len(address) > 255:
        raise InvalidUserError("email_address", "Longer than maximum length 255.")
    try:
        validate(address)
    except InvalidEmailAddress as error:
        raise InvalidUserError("email_address", str(error)) from None
    return address


def _checked_number(number: str) -> str:
    try:
        PhoneNumber.parse(number).check(allow_international=True, allow_landline=False)
    except InvalidPhoneNumber as error:
        raise InvalidUserError("mobile_number", f"Invalid phone number: {error.api_text}") from None
    return number


def add_to_service(session: Session, user_id: UUID, service_id: UUID, permissions: Iterable[str]) -> None:
    """Make a user a member of a service, with these permissions there, which replace any earlier ones.

    Raises `InvalidUserError` for an unknown permission.
    """
    wanted = set(permissions)
    for permission in sorted(wanted - set(USER_PERMISSIONS)):
        raise InvalidUserError("permissions", f"Invalid permission: {permission}")
    session.merge(ServiceUser(user_id=user_id, service_id=service_id))
    session.execute(delete(Permission).where(Permission.user_id == user_id, Permission.service_id == service_id))
    session.add_all(Permission(user_id=user_id, service_id=service_id, permission=name) for name in sorted(wanted))
    session.flush()
