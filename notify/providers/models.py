"""Tables of providers (contract: data-model 2.6, history table 2.7), and the messages of the sandbox."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Text, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.columns import enum
from notify.infra.database import Base
from notify.infra.ids import new_id
from notify.vocabulary import NOTIFICATION_TYPES

notification_type_enum = enum("notification_type", NOTIFICATION_TYPES)


class _ProviderColumns:
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id, sort_order=-2)
    display_name: Mapped[str]
    identifier: Mapped[str]
    priority: Mapped[int]
    notification_type: Mapped[str] = mapped_column(notification_type_enum)
    active: Mapped[bool] = mapped_column(default=False, server_default=false())
    updated_at: Mapped[datetime | None]
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    supports_international: Mapped[bool] = mapped_column(default=False, server_default=false())
    reason: Mapped[str | None]


class ProviderDetails(_ProviderColumns, Base):
    """A provider and its share of the traffic: `priority` is a weight from 0 to 100, relative to the others."""

    __tablename__ = "provider_details"

    version: Mapped[int] = mapped_column(default=1, server_default="1", sort_order=-1)


class ProviderDetailsHistory(_ProviderColumns, Base):
    """A full copy of a provider's row for every version."""

    __tablename__ = "provider_details_history"

    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, sort_order=-1)


class SandboxMessage(Base):
    """A message in the sandbox. It is for development and tests only, so nothing is encrypted. Rows are deleted after a
    week.

    Ids are in the order of arrival. `outcome` is the status in its receipt, which is due at `receipt_due_at`;
    `receipt_sent_at` is None until our API has accepted the receipt.
    """

    __tablename__ = "sandbox_messages"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    notification_id: Mapped[UUID]
    channel: Mapped[str]
    recipient: Mapped[str] = mapped_column(Text)
    sender: Mapped[str] = mapped_column(Text)
    reply_to: Mapped[str | None] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    html: Mapped[str | None] = mapped_column(Text)
    headers: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict, server_default=text("'{}'::jsonb"))
    created_at: Mapped[datetime]
    outcome: Mapped[str]
    receipt_due_at: Mapped[datetime]
    receipt_sent_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("channel IN ('sms', 'email')", name="channel"),
        CheckConstraint("outcome IN ('delivered', 'temporary-failure', 'permanent-failure')", name="outcome"),
        Index("ix_sandbox_messages_notification_id", "notification_id"),
        Index("ix_sandbox_messages_recipient", "recipient", "id"),
        Index("ix_sandbox_messages_unreported", "receipt_due_at", postgresql_where=text("receipt_sent_at IS NULL")),
    )
