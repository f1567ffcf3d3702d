"""Tables of received text messages (contract: data-model 2.5)."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.database import Base
from notify.infra.ids import new_id
from notify.infra.secrets import ENCRYPTED, EncryptedColumn
from notify.infra.times import utc_now

CONTENT: Final = EncryptedColumn("inbound_sms", "content")


class _ReceivedText:
    """Columns that a received text and its archived form share: none of them is personal."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"))
    notify_number: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    provider_date: Mapped[datetime | None]
    provider_reference: Mapped[str | None]
    provider: Mapped[str]


class InboundText(_ReceivedText, Base):
    """A text message that a person sent to a service's number. Its content is encrypted."""

    __tablename__ = "inbound_sms"

    content: Mapped[bytes] = mapped_column(LargeBinary, info={ENCRYPTED: CONTENT})
    user_number: Mapped[str]

    __table_args__ = (
        Index("ix_inbound_sms_service_id_created_at", "service_id", "created_at", "id"),
        # the newest text of each person
        Index("ix_inbound_sms_service_id_user_number", "service_id", "user_number", "created_at", "id"),
        Index(
            "ix_inbound_sms_provider_reference",
            "provider_reference",
            postgresql_where=text("provider_reference IS NOT NULL"),
        ),
    )


class InboundTextHistory(_ReceivedText, Base):
    """A received text after its retention period: without its sender and its content."""

    __tablename__ = "inbound_sms_history"
    __table_args__ = (Index("ix_inbound_sms_history_service_id", "service_id"),)
