"""Tables of organisations (contract: data-model 2.2)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Double, ForeignKey, Index, String, Text, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.columns import enum, one_of
from notify.infra.database import Base
from notify.infra.ids import new_id, new_public_id
from notify.infra.times import utc_now
from notify.vocabulary import ORGANISATION_PERMISSIONS, ORGANISATION_TYPES

organisation_permission_types_enum = enum("organisation_permission_types", ORGANISATION_PERMISSIONS)


class Organisation(Base):
    """An organisation that services belong to: its agreement, its default branding, its contacts for billing."""

    __tablename__ = "organisation"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
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


class OrganisationPermission(Base):
    """A permission of the members of an organisation's services."""

    __tablename__ = "organisation_permissions"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    permission: Mapped[str] = mapped_column(organisation_permission_types_enum)
    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (UniqueConstraint("organisation_id", "permission", name="uix_organisation_permission"),)
