"""Tables of branding (contract: data-model 2.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal, get_args
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.database import Base
from notify.infra.ids import new_public_id
from notify.infra.times import utc_now

BrandType = Literal["org", "both", "org_banner"]

BRAND_TYPES: Final = get_args(BrandType)

NHS_EMAIL_BRANDING_ID: Final = UUID("a7dc4e56-660b-4db7-8cff-12c37b12b5ea")
NHS_LETTER_BRANDING_ID: Final = UUID("2cd354bb-6b85-eda3-c0ad-6b613150459f")
"""The built-in brandings of organisations of the health service (contract: data-model 6.5)."""


class EmailBranding(Base):
    """The header of an email. Exactly one of `text` (shown beside the logo) and `alt_text` (of the logo) is set."""

    __tablename__ = "email_branding"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    colour: Mapped[str | None] = mapped_column(String(7))
    logo: Mapped[str | None] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(255))
    text: Mapped[str | None] = mapped_column(String(255))
    brand_type: Mapped[str] = mapped_column(String(255), default="org", server_default="org")
    created_at: Mapped[datetime | None] = mapped_column(default=utc_now)
    created_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)
    updated_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    alt_text: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True, server_default=true())

    __table_args__ = (
        CheckConstraint("brand_type IN ('org', 'both', 'org_banner')", name="brand_type"),
        CheckConstraint("(text IS NULL) <> (alt_text IS NULL)", name="one_of_text_and_alt_text"),
        UniqueConstraint("name"),
    )


class LetterBranding(Base):
    """The logo of a letter; `filename` is without an extension."""

    __tablename__ = "letter_branding"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    name: Mapped[str] = mapped_column(String(255))
    filename: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime | None] = mapped_column(default=utc_now)
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)
    updated_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))

    __table_args__ = (UniqueConstraint("name"), UniqueConstraint("filename"))


class ServiceEmailBranding(Base):
    """The email branding of a service."""

    __tablename__ = "service_email_branding"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), primary_key=True)
    email_branding_id: Mapped[UUID] = mapped_column(ForeignKey("email_branding.id"))


class ServiceLetterBranding(Base):
    """The letter branding of a service."""

    __tablename__ = "service_letter_branding"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), primary_key=True)
    letter_branding_id: Mapped[UUID] = mapped_column(ForeignKey("letter_branding.id"))


class OrganisationEmailBranding(Base):
    """An email branding that the services of an organisation can choose: its pool."""

    __tablename__ = "email_branding_to_organisation"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    email_branding_id: Mapped[UUID] = mapped_column(ForeignKey("email_branding.id"), primary_key=True, index=True)


class OrganisationLetterBranding(Base):
    """A letter branding that the services of an organisation can choose: its pool."""

    __tablename__ = "letter_branding_to_organisation"

    organisation_id: Mapped[UUID] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    letter_branding_id: Mapped[UUID] = mapped_column(ForeignKey("letter_branding.id"), primary_key=True, index=True)
