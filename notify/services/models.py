"""Tables of services and their settings (contract: data-model 2.3; history tables 2.7)."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.columns import enum, one_of
from notify.infra.database import Base
from notify.infra.ids import new_id, new_public_id
from notify.infra.secrets import ENCRYPTED, EncryptedColumn
from notify.infra.times import utc_now
from notify.infra.versions import Versioned
from notify.vocabulary import KEY_TYPES, NOTIFICATION_TYPES, ORGANISATION_TYPES, RECIPIENT_TYPES, SERVICE_PERMISSIONS

notification_type_enum = enum("notification_type", NOTIFICATION_TYPES)
recipient_type_enum = enum("recipient_type", RECIPIENT_TYPES)

NOTIFY_SERVICE_ID: Final = UUID("d6aa2c68-a2d9-4437-ab19-3ae8eb202553")
"""The built-in service that sends Notify's own messages (contract: data-model 6.2)."""

API_KEY_SECRET: Final = EncryptedColumn("api_keys", "secret")


class _ServiceColumns(Versioned):
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    name: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    restricted: Mapped[bool]
    created_by_id: Mapped[UUID]
    organisation_type: Mapped[str | None] = mapped_column(String(255))
    prefix_sms: Mapped[bool] = mapped_column(default=False, server_default=false())
    crown: Mapped[bool | None]
    rate_limit: Mapped[int] = mapped_column(default=3000, server_default="3000")
    contact_link: Mapped[str | None] = mapped_column(String(255))
    consent_to_research: Mapped[bool | None]
    volume_email: Mapped[int | None]
    volume_letter: Mapped[int | None]
    volume_sms: Mapped[int | None]
    count_as_live: Mapped[bool] = mapped_column(default=True, server_default=true())
    go_live_at: Mapped[datetime | None]
    go_live_user_id: Mapped[UUID | None]
    organisation_id: Mapped[UUID | None]
    notes: Mapped[str | None] = mapped_column(Text)
    billing_contact_email_addresses: Mapped[str | None] = mapped_column(Text)
    billing_contact_names: Mapped[str | None] = mapped_column(Text)
    billing_reference: Mapped[str | None] = mapped_column(String(255))
    purchase_order_number: Mapped[str | None] = mapped_column(String(255))
    letter_message_limit: Mapped[int] = mapped_column(BigInteger, default=999_999_999)
    sms_message_limit: Mapped[int] = mapped_column(BigInteger, default=999_999_999)
    email_message_limit: Mapped[int] = mapped_column(BigInteger, default=999_999_999)
    has_active_go_live_request: Mapped[bool] = mapped_column(default=False, server_default=false())
    normalised_service_name: Mapped[str]
    custom_email_sender_name: Mapped[str | None] = mapped_column(String(255))
    email_sender_local_part: Mapped[str] = mapped_column(String(255))
    international_sms_message_limit: Mapped[int] = mapped_column(BigInteger, default=250_000, server_default="250000")
    confirmed_unique: Mapped[bool] = mapped_column(default=False, server_default=false())
    confirmed_email_sender_name: Mapped[bool | None] = mapped_column(default=False)


class ServiceHistory(_ServiceColumns, Base):
    """Every version of a service; `created_by_id` is the user who made that change."""

    __tablename__ = "services_history"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)


class Service(_ServiceColumns, Base):
    """A sender of messages. `restricted` is trial mode. `created_by_id` is the user who made the last change."""

    __tablename__ = "services"
    __history__ = ServiceHistory
    __table_args__ = (
        CheckConstraint(one_of("organisation_type", ORGANISATION_TYPES), name="organisation_type"),
        ForeignKeyConstraint(["created_by_id"], ["users.id"]),
        ForeignKeyConstraint(["go_live_user_id"], ["users.id"]),
        ForeignKeyConstraint(["organisation_id"], ["organisation.id"]),
        UniqueConstraint("name", name="services_name_key"),
        UniqueConstraint("normalised_service_name", name="services_normalised_service_name_key"),
        Index("ix_services_created_by_id", "created_by_id"),
        Index("ix_services_organisation_id", "organisation_id"),
    )


class ServicePermission(Base):
    """A permission of a service."""

    __tablename__ = "service_permissions"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), primary_key=True)
    permission: Mapped[str] = mapped_column(String(255), primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (CheckConstraint(one_of("permission", SERVICE_PERMISSIONS), name="permission"),)


class InboundNumber(Base):
    """A number that people can text, in local form (07...). It is free if it is active and has no service."""

    __tablename__ = "inbound_numbers"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    number: Mapped[str] = mapped_column(String(11))
    provider: Mapped[str]
    service_id: Mapped[UUID | None] = mapped_column(ForeignKey("services.id"))
    active: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)

    __table_args__ = (
        UniqueConstraint("number", name="inbound_numbers_number_key"),
        Index("ix_inbound_numbers_service_id", "service_id", unique=True),
    )


class SmsSender(Base):
    """A sender of text messages, of at most 11 characters. A service has exactly one default."""

    __tablename__ = "service_sms_senders"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    sms_sender: Mapped[str] = mapped_column(String(11))
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    is_default: Mapped[bool] = mapped_column(default=True, server_default=true())
    inbound_number_id: Mapped[UUID | None] = mapped_column(ForeignKey("inbound_numbers.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)
    archived: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (
        Index("ix_service_sms_senders_inbound_number_id", "inbound_number_id", unique=True),
        Index(
            "uix_service_sms_senders_default",
            "service_id",
            unique=True,
            postgresql_where=text("is_default AND NOT archived"),
        ),
    )


class EmailReplyTo(Base):
    """The address for replies to an email. A service has at most one default."""

    __tablename__ = "service_email_reply_to"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    email_address: Mapped[str] = mapped_column(Text)
    is_default: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)
    archived: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (
        Index(
            "uix_service_email_reply_to_default",
            "service_id",
            unique=True,
            postgresql_where=text("is_default AND NOT archived"),
        ),
    )


class LetterContact(Base):
    """A sender's address block on letters. A service has at most one default."""

    __tablename__ = "service_letter_contacts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    contact_block: Mapped[str] = mapped_column(Text)
    is_default: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)
    archived: Mapped[bool] = mapped_column(default=False, server_default=false())

    __table_args__ = (
        Index(
            "uix_service_letter_contacts_default",
            "service_id",
            unique=True,
            postgresql_where=text("is_default AND NOT archived"),
        ),
    )


class Guest(Base):
    """A recipient outside the team that a service in trial mode, or a team key, may send to. Stored as typed."""

    __tablename__ = "service_whitelist"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    recipient_type: Mapped[str] = mapped_column(recipient_type_enum)
    recipient: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime | None] = mapped_column(default=utc_now)


class DataRetention(Base):
    """The days for which a service's messages of a type are kept, if not the default 7."""

    __tablename__ = "service_data_retention"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"))
    notification_type: Mapped[str] = mapped_column(notification_type_enum)
    days_of_retention: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)

    __table_args__ = (UniqueConstraint("service_id", "notification_type", name="uix_service_data_retention"),)


class ProtectedSender(Base):
    """A text message sender that needs approval: lower case, without blanks. Rows are added by hand."""

    __tablename__ = "protected_sender_ids"

    sender_id: Mapped[str] = mapped_column(String(255), primary_key=True)


class _ApiKeyColumns(Versioned):
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    name: Mapped[str] = mapped_column(String(255))
    secret: Mapped[bytes] = mapped_column(LargeBinary, info={ENCRYPTED: API_KEY_SECRET})
    service_id: Mapped[UUID]
    expiry_date: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by_id: Mapped[UUID]
    updated_at: Mapped[datetime | None]
    key_type: Mapped[str] = mapped_column(String(255))


class ApiKeyHistory(_ApiKeyColumns, Base):
    """Every version of an API key."""

    __tablename__ = "api_keys_history"
    __table_args__ = (Index("ix_api_keys_history_service_id", "service_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)


class ApiKey(_ApiKeyColumns, Base):
    """A key that services sign requests with. The secret is encrypted. A key with an expiry date is revoked."""

    __tablename__ = "api_keys"
    __history__ = ApiKeyHistory
    __table_args__ = (
        CheckConstraint(one_of("key_type", KEY_TYPES), name="key_type"),
        ForeignKeyConstraint(["service_id"], ["services.id"]),
        ForeignKeyConstraint(["created_by_id"], ["users.id"]),
        Index("ix_api_keys_service_id", "service_id"),
        Index(
            "uix_service_to_key_name",
            "service_id",
            "name",
            unique=True,
            postgresql_where=text("expiry_date IS NULL"),
        ),
    )
