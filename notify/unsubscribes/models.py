"""Tables of unsubscribe requests (contract: data-model 2.5)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.database import Base
from notify.infra.ids import new_id
from notify.infra.times import utc_now


class UnsubscribeRequestReport(Base):
    """A batch of unsubscribe requests of a service. `processed_by_service_at` is None until it is marked as done."""

    __tablename__ = "unsubscribe_request_report"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    earliest_timestamp: Mapped[datetime] = mapped_column(default=utc_now)
    latest_timestamp: Mapped[datetime] = mapped_column(default=utc_now)
    processed_by_service_at: Mapped[datetime | None]
    count: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class UnsubscribeRequest(Base):
    """A recipient used the unsubscribe link of an email."""

    __tablename__ = "unsubscribe_request"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    notification_id: Mapped[UUID] = mapped_column(index=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    template_id: Mapped[UUID]
    template_version: Mapped[int]
    email_address: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    unsubscribe_request_report_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("unsubscribe_request_report.id"), index=True
    )

    __table_args__ = (
        ForeignKeyConstraint(
            ["template_id", "template_version"], ["templates_history.id", "templates_history.version"]
        ),
        # several clicks on a link count as one request until it is in a batch
        Index(
            "uq_unsubscribe_request_unbatched",
            "notification_id",
            "email_address",
            unique=True,
            postgresql_where=text("unsubscribe_request_report_id IS NULL"),
        ),
    )


class UnsubscribeRequestHistory(Base):
    """An archived unsubscribe request, without the address."""

    __tablename__ = "unsubscribe_request_history"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    notification_id: Mapped[UUID] = mapped_column(index=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"))
    template_id: Mapped[UUID]
    template_version: Mapped[int]
    created_at: Mapped[datetime]
    unsubscribe_request_report_id: Mapped[UUID | None]
