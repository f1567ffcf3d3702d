"""Tables of callbacks. Their settings belong to the services room."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.database import Base
from notify.infra.ids import new_id


class PendingCallback(Base):
    """Something that a service is still to be told. It is written in the transaction that made it true, and deleted
    when the service has been told, or cannot be. Without foreign keys: it is written on the way of receipts.

    `subject_id` is the message, received text, complaint or letter it is about. `payload` is the encrypted body. Until
    `due_at` nobody sends it: it waits for its next try, or a worker is at it.
    """

    __tablename__ = "pending_callbacks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    callback_type: Mapped[str]
    service_id: Mapped[UUID]
    subject_id: Mapped[UUID]
    payload: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")

    __table_args__ = (
        UniqueConstraint("callback_type", "subject_id", name="uq_pending_callbacks_callback_type_subject_id"),
        Index("ix_pending_callbacks_service_id_callback_type_due_at", "service_id", "callback_type", "due_at"),
    )
