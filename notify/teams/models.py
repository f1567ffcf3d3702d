"""Tables of invitations and of requests to join (contract: data-model 2.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.columns import enum, one_of
from notify.infra.database import Base
from notify.infra.ids import new_public_id
from notify.infra.times import utc_now
from notify.vocabulary import AUTH_TYPES, INVITATION_STATUSES, JOIN_REQUEST_STATUSES

invited_users_status_types_enum = enum("invited_users_status_types", INVITATION_STATUSES)
join_request_status_enum = enum("service_join_requests_status_type", JOIN_REQUEST_STATUSES)


class ServiceInvitation(Base):
    """An invitation to the team of a service, valid for two days. `permissions` are comma-separated;
    `folder_permissions` is a list of ids of folders, as the admin app sent it.
    """

    __tablename__ = "invited_users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    email_address: Mapped[str] = mapped_column(String(255))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    service_id: Mapped[UUID | None] = mapped_column(ForeignKey("services.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    status: Mapped[str] = mapped_column(invited_users_status_types_enum, default="pending")
    permissions: Mapped[str]
    auth_type: Mapped[str] = mapped_column(default="sms_auth", server_default="sms_auth")
    folder_permissions: Mapped[Any] = mapped_column(JSONB(none_as_null=True), default=list, nullable=False)

    __table_args__ = (
        CheckConstraint(one_of("auth_type", AUTH_TYPES), name="auth_type"),
        Index("ix_invited_users_created_at", "created_at"),
    )


class OrganisationInvitation(Base):
    """An invitation to an organisation, valid for two days. `permissions` are comma-separated."""

    __tablename__ = "invited_organisation_users"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    email_address: Mapped[str] = mapped_column(String(255))
    invited_by_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    status: Mapped[str] = mapped_column(default="pending", server_default="pending")
    permissions: Mapped[str]

    __table_args__ = (
        CheckConstraint(one_of("status", INVITATION_STATUSES), name="status"),
        Index("ix_invited_organisation_users_created_at", "created_at"),
    )


class JoinRequest(Base):
    """A user's request to join the team of a service."""

    __tablename__ = "service_join_requests"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    requester_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), index=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    status: Mapped[str] = mapped_column(join_request_status_enum, default="pending", server_default="pending")
    status_changed_at: Mapped[datetime | None]
    status_changed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str | None] = mapped_column(Text)


class JoinRequestContact(Base):
    """A member of the service whom a request to join was sent to."""

    __tablename__ = "service_join_request_contacted_users"

    service_join_request_id: Mapped[UUID] = mapped_column(ForeignKey("service_join_requests.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
