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
"""The job id of messages without a job."""


class StatusFact(Base):
    """The number of messages of a local day by template, job, type of key and status."""

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
    """The number of texts and emails sent with API keys on a local day, and of those handed to a provider within ten
    seconds.
    """

    __tablename__ = "ft_processing_time"

    bst_date: Mapped[date] = mapped_column(primary_key=True)
    messages_total: Mapped[int]
    messages_within_10_secs: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None] = mapped_column(onupdate=utc_now)
