"""Tables of events and changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, String
from sqlalchemy.dialects.postgresql import JSON, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.database import Base
from notify.infra.ids import new_id
from notify.infra.times import utc_now


class Event(Base):
    """An event that the admin app reported. `data` is any JSON value; the admin app decides what is in it."""

    __tablename__ = "events"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    event_type: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    data: Mapped[Any] = mapped_column(JSON)

    __table_args__ = (Index("ix_events_created_at", "created_at"),)


class Change(Base):
    """A change made through the internal API: who made it, when, and to what. The changed values are in the history
    table of the row.

    `user_id` is the person that the admin app names, or None. `operation` is the endpoint's name, `subject` holds the
    ids in its path, by name.
    """

    __tablename__ = "changes"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    client: Mapped[str]
    user_id: Mapped[UUID | None]
    method: Mapped[str]
    operation: Mapped[str]
    service_id: Mapped[UUID | None]
    subject: Mapped[dict[str, str]] = mapped_column(JSONB)

    __table_args__ = (Index("ix_changes_service_id", "service_id", "id"), Index("ix_changes_user_id", "user_id", "id"))
