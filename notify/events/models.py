"""The table of events (contract: data-model)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.database import Base
from notify.infra.ids import new_id
from notify.infra.times import utc_now


class Event(Base):
    """Something that somebody did. `data` is any JSON value; the admin app decides what is in it."""

    __tablename__ = "events"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    event_type: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    data: Mapped[Any] = mapped_column(JSON)

    __table_args__ = (Index("ix_events_created_at", "created_at"),)
