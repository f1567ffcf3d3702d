"""Tables of people and organisations (contract: data-model 2.1, 2.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, String, Text, UniqueConstraint, false, func, true
from sqlalchemy.dialects.postgresql import ENUM
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.database import Base
from notify.infra.ids import new_id
from notify.infra.times import utc_now

AuthType = Literal["sms_auth", "email_auth", "webauthn_auth"]
UserState = Literal["pending", "active", "inactive"]

AUTH_TYPES: Final = get_args(AuthType)
USER_STATES: Final = get_args(UserState)

USER_PERMISSIONS: Final = (
    "manage_users",
    "manage_templates",
    "manage_settings",
    "send_texts",
    "send_emails",
    "send_letters",
    "manage_api_keys",
    "platform_admin",
    "view_activity",
    "create_broadcasts",
    "approve_broadcasts",
    "cancel_broadcasts",
    "reject_broadcasts",
)
"""What a member of a service may be allowed to do there (data-model 1.1, permission_types)."""

ORGANISATION_TYPES: Final = (
    "central",
    "emergency_service",
    "local",
    "nhs",
    "nhs_central",
    "nhs_gp",
    "nhs_local",
    "nhs_notify",
    "other",
    "school_or_college",
)

permission_types_enum = ENUM(*USER_PERMISSIONS, name="permission_types", create_type=False)


def one_of(column: str, values: tuple[str, ...]) -> str:
    """SQL of the check that a column holds one of these values (none of them has an apostrophe)."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


NOTIFY_USER_ID: Final = UUID("6af522d0-2915-4e52-83a3-3690455a5fe6")
"""The user in whose name the platform itself changes things (contract: data-model 6.1)."""


class User(Base):
    """A person who can sign in. `password` is an Argon2id hash. Addresses are looked up without regard to case."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    email_address: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)
    password: Mapped[str] = mapped_column("_password")
    mobile_number: Mapped[str | None]
    password_changed_at: Mapped[datetime] = mapped_column(default=utc_now)
    logged_in_at: Mapped[datetime | None]
    failed_login_count: Mapped[int] = mapped_column(default=0, server_default="0")
    state: Mapped[str] = mapped_column(default="pending", server_default="pending")
    platform_admin: Mapped[bool] = mapped_column(default=False, server_default=false())
    current_session_id: Mapped[UUID | None]
    auth_type: Mapped[str] = mapped_column(default="sms_auth", server_default="sms_auth")
    email_access_validated_at: Mapped[datetime] = mapped_column(default=utc_now)
    take_part_in_research: Mapped[bool] = mapped_column(default=True, server_default=true())
    receives_new_features_email: Mapped[bool] = mapped_column(default=True, server_default=true())

    __table_args__ = (
        CheckConstraint(one_of("auth_type", AUTH_TYPES), name="auth_type"),
        CheckConstraint(one_of("state", USER_STATES), name="state"),
        CheckConstraint(
            "auth_type IN ('email_auth', 'webauthn_auth') OR mobile_number IS NOT NULL", name="mobile_or_other_auth"
        ),
        Index("ix_users_email_address", func.lower(email_address), unique=True),
    )


class ServiceUser(Base):
    """Who belongs to which service."""

    __tablename__ = "user_to_service"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), primary_key=True, index=True)


class Permission(Base):
    """What a user may do in a service."""

    __tablename__ = "permissions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    service_id: Mapped[UUID | None] = mapped_column(ForeignKey("services.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    permission: Mapped[str] = mapped_column(permission_types_enum)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        # also serves look-ups by service alone
        UniqueConstraint("service_id", "user_id", "permission", name="uix_service_user_permission"),
    )


class Organisation(Base):
    """A body that services belong to: its agreement, its default branding, its contacts for billing."""

    __tablename__ = "organisation"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)
    email_branding_id: Mapped[UUID | None] = mapped_column(ForeignKey("email_branding.id"))
    letter_branding_id: Mapped[UUID | None] = mapped_column(ForeignKey("letter_branding.id"))
    agreement_signed: Mapped[bool | None]
    agreement_signed_at: Mapped[datetime | None]
    agreement_signed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    agreement_signed_version: Mapped[float | None] = mapped_column(Double)
    crown: Mapped[bool | None]
    organisation_type: Mapped[str | None] = mapped_column(String(255))
    request_to_go_live_notes: Mapped[str | None] = mapped_column(Text)
    agreement_signed_on_behalf_of_email_address: Mapped[str | None] = mapped_column(String(255))
    agreement_signed_on_behalf_of_name: Mapped[str | None] = mapped_column(String(255))
    billing_contact_email_addresses: Mapped[str | None] = mapped_column(Text)
    billing_contact_names: Mapped[str | None] = mapped_column(Text)
    billing_reference: Mapped[str | None] = mapped_column(String(255))
    notes: Mapped[str | None] = mapped_column(Text)
    purchase_order_number: Mapped[str | None] = mapped_column(String(255))
    can_approve_own_go_live_requests: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (
        CheckConstraint(one_of("organisation_type", ORGANISATION_TYPES), name="organisation_type"),
        Index("ix_organisation_name", "name", unique=True),
    )


class Domain(Base):
    """An email domain, in lower case, whose people belong to an organisation."""

    __tablename__ = "domain"

    domain: Mapped[str] = mapped_column(String(255), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
