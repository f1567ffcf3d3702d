"""Tables of users, their memberships and permissions (contract: data-model 2.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    UniqueConstraint,
    false,
    func,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.columns import enum, one_of
from notify.infra.database import Base
from notify.infra.ids import new_id, new_public_id
from notify.infra.times import utc_now
from notify.vocabulary import AUTH_TYPES, ORGANISATION_USER_PERMISSIONS, USER_PERMISSIONS

permission_types_enum = enum("permission_types", USER_PERMISSIONS)
organisation_user_permission_types_enum = enum("organisation_user_permission_types", ORGANISATION_USER_PERMISSIONS)

NOTIFY_USER_ID: Final = UUID("6af522d0-2915-4e52-83a3-3690455a5fe6")
"""The user recorded for changes that the platform makes itself (contract: data-model 6.1)."""


class User(Base):
    """A person who can sign in. `password` is a hash (passwords.py). Look-ups by address ignore case.

    `state` is free text (contract: internal-users 0); only `pending`, `active` and `inactive` (archived) have a
    meaning."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
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
        CheckConstraint(
            "auth_type IN ('email_auth', 'webauthn_auth') OR mobile_number IS NOT NULL", name="mobile_or_other_auth"
        ),
        Index("ix_users_email_address", func.lower(email_address), unique=True),
        Index(
            "ix_users_email_address_part",
            "email_address",
            postgresql_using="gin",
            postgresql_ops={"email_address": "gin_trgm_ops"},
        ),
    )


class ServiceUser(Base):
    """A user's membership of a service."""

    __tablename__ = "user_to_service"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), primary_key=True, index=True)


class OrganisationUser(Base):
    """A user's membership of an organisation."""

    __tablename__ = "user_to_organisation"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True, index=True)


class OrganisationUserPermission(Base):
    """A user's permission in an organisation."""

    __tablename__ = "organisation_user_permissions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    permission: Mapped[str] = mapped_column(organisation_user_permission_types_enum)

    __table_args__ = (
        # also serves look-ups by organisation alone
        UniqueConstraint("organisation_id", "user_id", "permission", name="uix_organisation_user_permission"),
    )


class FolderUser(Base):
    """A template folder that a member of a service can see."""

    __tablename__ = "user_folder_permissions"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    template_folder_id: Mapped[UUID] = mapped_column(primary_key=True)
    service_id: Mapped[UUID] = mapped_column(primary_key=True)

    __table_args__ = (
        ForeignKeyConstraint(
            ["template_folder_id", "service_id"], ["template_folder.id", "template_folder.service_id"]
        ),
        ForeignKeyConstraint(["user_id", "service_id"], ["user_to_service.user_id", "user_to_service.service_id"]),
        Index("ix_user_folder_permissions_template_folder_id", "template_folder_id"),
    )


class Permission(Base):
    """A user's permission in a service."""

    __tablename__ = "permissions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    service_id: Mapped[UUID | None] = mapped_column(ForeignKey("services.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    permission: Mapped[str] = mapped_column(permission_types_enum)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        # also serves look-ups by service alone
        UniqueConstraint("service_id", "user_id", "permission", name="uix_service_user_permission"),
        # look-ups by user, and the order of long lists of users
        Index("ix_permissions_user_id_service_id", "user_id", "service_id", "permission"),
    )
