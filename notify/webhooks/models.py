"""Tables of callbacks: their settings (contract: data-model 2.3, 2.7), and pending callbacks."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.columns import one_of
from notify.infra.database import Base
from notify.infra.ids import new_id, new_public_id
from notify.infra.secrets import ENCRYPTED, EncryptedColumn
from notify.infra.versions import Versioned
from notify.vocabulary import CALLBACK_TYPES

PAYLOAD: Final = EncryptedColumn("pending_callbacks", "payload")
BEARER_TOKEN: Final = EncryptedColumn("service_callback_api", "bearer_token")
SIGNING_SECRET: Final = EncryptedColumn("service_callback_api", "signing_secret")


class PendingCallback(Base):
    """A callback to be sent. It is written in the transaction of its cause, and deleted once it is sent or given up.
    There are no foreign keys, for speed: the processing of receipts writes it.

    `subject_id` is the message, received text, complaint or letter it is about. `payload` is the encrypted body. A
    `due_at` in the future means that it waits for its next attempt, or that a worker is sending it.
    """

    __tablename__ = "pending_callbacks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    callback_type: Mapped[str]
    service_id: Mapped[UUID]
    subject_id: Mapped[UUID]
    payload: Mapped[bytes] = mapped_column(LargeBinary, info={ENCRYPTED: PAYLOAD})
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")

    __table_args__ = (
        UniqueConstraint("callback_type", "subject_id", name="uq_pending_callbacks_callback_type_subject_id"),
        Index("ix_pending_callbacks_service_id_callback_type_due_at", "service_id", "callback_type", "due_at"),
    )


class _CallbackColumns(Versioned):
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    service_id: Mapped[UUID]
    url: Mapped[str]
    bearer_token: Mapped[bytes] = mapped_column(LargeBinary, info={ENCRYPTED: BEARER_TOKEN})
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]
    updated_by_id: Mapped[UUID]
    callback_type: Mapped[str | None]
    signing_secret: Mapped[bytes | None] = mapped_column(LargeBinary, info={ENCRYPTED: SIGNING_SECRET})


class CallbackApiHistory(_CallbackColumns, Base):
    """Every version of a callback's settings."""

    __tablename__ = "service_callback_api_history"
    __table_args__ = (Index("ix_service_callback_api_history_service_id", "service_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)


class CallbackApi(_CallbackColumns, Base):
    """The settings of one type of callback of a service. The bearer token and the signing secret are encrypted. Without
    a signing secret, it is derived from the token.
    """

    __tablename__ = "service_callback_api"
    __history__ = CallbackApiHistory
    __table_args__ = (
        CheckConstraint(one_of("callback_type", CALLBACK_TYPES), name="callback_type"),
        ForeignKeyConstraint(["service_id"], ["services.id"]),
        ForeignKeyConstraint(["updated_by_id"], ["users.id"]),
        UniqueConstraint("service_id", "callback_type", name="uix_service_callback_type"),
    )
