"""Tables of emergency alerts (contract: data-model 8, broadcasts 2 and 8.1)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Sequence,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.columns import one_of
from notify.infra.database import Base
from notify.infra.ids import new_id, new_public_id
from notify.infra.secrets import ENCRYPTED, EncryptedColumn
from notify.infra.times import utc_now
from notify.vocabulary import (
    BROADCAST_CHANNELS,
    BROADCAST_EVENT_TYPES,
    BROADCAST_PROVIDER_CHOICES,
    BROADCAST_PROVIDER_STATUSES,
    BROADCAST_PROVIDERS,
    BROADCAST_STATUSES,
)

PERSONALISATION: Final = EncryptedColumn("broadcast_message", "_personalisation")
NUMBERS: Final = Sequence("broadcast_provider_message_number_seq", metadata=Base.metadata)
"""Message numbers, for networks that want one: of alerts and of link tests."""


class BroadcastMessage(Base):
    """An emergency alert: text, areas and status. `areas` has one of two forms (`areas.py`). `content` is the text that
    networks are sent. `stubbed`: made in training mode, never sent.
    """

    __tablename__ = "broadcast_message"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"))
    template_id: Mapped[UUID | None]
    template_version: Mapped[int | None]
    personalisation: Mapped[bytes | None] = mapped_column(
        "_personalisation", LargeBinary, info={ENCRYPTED: PERSONALISATION}
    )
    content: Mapped[str] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(String(255))
    cap_event: Mapped[str | None] = mapped_column(Text)
    areas: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(default="draft")
    stubbed: Mapped[bool]
    starts_at: Mapped[datetime | None]
    finishes_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    approved_at: Mapped[datetime | None]
    cancelled_at: Mapped[datetime | None]
    updated_at: Mapped[datetime | None]
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    approved_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    cancelled_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    created_by_api_key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id"))
    cancelled_by_api_key_id: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id"))

    __table_args__ = (
        CheckConstraint(one_of("status", BROADCAST_STATUSES), name="status"),
        CheckConstraint("created_by_id IS NOT NULL OR created_by_api_key_id IS NOT NULL", name="created_by"),
        ForeignKeyConstraint(
            ["template_id", "template_version"], ["templates_history.id", "templates_history.version"]
        ),
        Index("ix_broadcast_message_service_id_created_at", "service_id", "created_at", "id"),
        Index(
            "ix_broadcast_message_reference",
            "service_id",
            "reference",
            postgresql_where=text("reference IS NOT NULL"),
        ),
        Index("ix_broadcast_message_finishes_at", "finishes_at", postgresql_where=text("status = 'broadcasting'")),
        Index("ix_broadcast_message_starts_at", "starts_at"),
    )


class BroadcastEvent(Base):
    """A change of a message that the networks must be sent. It is written in the transaction of its cause, and is
    pending until `dispatched_at`, when every network has its `BroadcastProviderMessage`.
    """

    __tablename__ = "broadcast_event"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"))
    broadcast_message_id: Mapped[UUID] = mapped_column(ForeignKey("broadcast_message.id"))
    sent_at: Mapped[datetime] = mapped_column(default=utc_now)
    message_type: Mapped[str]
    transmitted_content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    transmitted_areas: Mapped[dict[str, Any]] = mapped_column(JSONB)
    transmitted_sender: Mapped[str]
    transmitted_starts_at: Mapped[datetime | None]
    transmitted_finishes_at: Mapped[datetime | None]
    dispatched_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(one_of("message_type", BROADCAST_EVENT_TYPES), name="message_type"),
        # a message is sent once, and cancelled once
        Index(
            "uix_broadcast_event_message_type",
            "broadcast_message_id",
            "message_type",
            unique=True,
            postgresql_where=text("message_type <> 'update'"),
        ),
        Index("ix_broadcast_event_waiting", "sent_at", postgresql_where=text("dispatched_at IS NULL")),
    )


class BroadcastProviderMessage(Base):
    """An event as sent to one network; its id is the network's identifier. While `sending`, the next attempt is at
    `due_at`; `attempts` counts the failed ones.
    """

    __tablename__ = "broadcast_provider_message"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    broadcast_event_id: Mapped[UUID] = mapped_column(ForeignKey("broadcast_event.id"))
    provider: Mapped[str]
    status: Mapped[str] = mapped_column(default="sending")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    due_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        CheckConstraint(one_of("provider", BROADCAST_PROVIDERS), name="provider"),
        CheckConstraint(one_of("status", BROADCAST_PROVIDER_STATUSES), name="status"),
        UniqueConstraint(
            "broadcast_event_id", "provider", name="broadcast_provider_message_broadcast_event_id_provider_key"
        ),
        Index("ix_broadcast_provider_message_due_at", "due_at", postgresql_where=text("status = 'sending'")),
    )


class BroadcastProviderMessageNumber(Base):
    """The number of a provider message, for networks that want one as well as the identifier."""

    __tablename__ = "broadcast_provider_message_number"

    number: Mapped[int] = mapped_column(
        "broadcast_provider_message_number",
        primary_key=True,
        server_default=text("nextval('broadcast_provider_message_number_seq'::regclass)"),
    )
    provider_message_id: Mapped[UUID] = mapped_column(
        "broadcast_provider_message_id", ForeignKey("broadcast_provider_message.id")
    )

    __table_args__ = (
        UniqueConstraint("broadcast_provider_message_id", name="uq_broadcast_provider_message_number_message"),
    )


class BroadcastSettings(Base):
    """The channel of a service's alerts, and the network they are restricted to (`all`: no restriction)."""

    __tablename__ = "service_broadcast_settings"

    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), primary_key=True)
    channel: Mapped[str]
    provider: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(one_of("channel", BROADCAST_CHANNELS), name="channel"),
        CheckConstraint(one_of("provider", BROADCAST_PROVIDER_CHOICES), name="provider"),
    )


class SandboxBroadcast(Base):
    """A call that the sandbox recorded in place of a network's proxy. `document` is the XML for the network."""

    __tablename__ = "sandbox_broadcasts"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    function: Mapped[str]
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB)
    document: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
