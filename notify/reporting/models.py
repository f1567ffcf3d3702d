"""Tables of facts: what was sent, by day (contract: data-model 2.6)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.database import Base
from notify.infra.times import utc_now

NO_JOB: Final = UUID(int=0)
"""The job of messages that belong to none."""


class StatusFact(Base):
    """How many messages of a local day have a status, for each template, job and type of key."""

    __tablename__ = "ft_notification_status"

    bst_date: Mapped[date] = mapped_column(primary_key=True)
    template_id: Mapped[UUID] = mapped_column(primary_key=True)
    service_id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    notification_type: Mapped[str] = mapped_column(primary_key=True)
    key_type: Mapped[str] = mapped_column(primary_key=True)
    notification_status: Mapped[str] = mapped_column(primary_key=True)
    notification_count: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_ft_notification_status_service_id_bst_date", "service_id", "bst_date"),
        Index("ix_ft_notification_status_template_id_bst_date", "template_id", "bst_date"),
        Index("ix_ft_notification_status_job_id", "job_id"),
    )


class ProcessingTimeFact(Base):
    """How many texts and emails of API keys were made on a local day, and how many of them were handed to a provider
    within ten seconds.
    """

    __tablename__ = "ft_processing_time"

    bst_date: Mapped[date] = mapped_column(primary_key=True)
    messages_total: Mapped[int]
    messages_within_10_secs: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)
