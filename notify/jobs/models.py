"""Tables of jobs, contact lists and report requests (contract: data-model 2.3, 2.5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, false, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.columns import enum, one_of
from notify.infra.database import Base
from notify.infra.ids import new_public_id
from notify.infra.times import utc_now
from notify.templates.models import template_type_enum

JOB_STATUSES: Final = (
    "pending",
    "in progress",
    "finished",
    "finished all notifications created",
    "sending limits exceeded",
    "scheduled",
    "cancelled",
    "ready to send",
    "sent to dvla",
    "error",
)
"""The contract's list (internal-jobs 1.1). Nothing sets `ready to send` and `sent to dvla`."""

REPORT_STATUSES: Final = ("pending", "in progress", "stored", "failed", "deleted")

report_type_enum = enum("report_request_report_type", ("notifications",))
report_status_enum = enum("report_request_status_type", REPORT_STATUSES)


class ContactList(Base):
    """A spreadsheet of recipients that a service keeps. The file is in the object store, under the same id."""

    __tablename__ = "service_contact_list"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    original_file_name: Mapped[str]
    row_count: Mapped[int]
    template_type: Mapped[str] = mapped_column(template_type_enum)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]
    archived: Mapped[bool] = mapped_column(default=False, server_default=false())


class Job(Base):
    """Messages to the rows of a spreadsheet, which is in the object store under the same id. `archived`: the file was
    deleted. `progressed_at`: when a worker last saved rows.
    """

    __tablename__ = "jobs"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    original_file_name: Mapped[str]
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"))
    template_id: Mapped[UUID] = mapped_column(ForeignKey("templates.id"))
    template_version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None]
    notification_count: Mapped[int]
    processing_started: Mapped[datetime | None]
    processing_finished: Mapped[datetime | None]
    progressed_at: Mapped[datetime | None]
    created_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"), index=True)
    job_status: Mapped[str] = mapped_column(String(255), default="pending", server_default="pending")
    scheduled_for: Mapped[datetime | None]
    archived: Mapped[bool] = mapped_column(default=False, server_default=false())
    contact_list_id: Mapped[UUID | None] = mapped_column(ForeignKey("service_contact_list.id"))
    # set for jobs through the public API; the messages have the same values
    api_key_id: Mapped[UUID | None]
    key_type: Mapped[str] = mapped_column(String(255), default="normal", server_default="normal")

    __table_args__ = (
        CheckConstraint(one_of("job_status", JOB_STATUSES), name="job_status"),
        # for the list of a service's jobs, in its order
        Index(
            "ix_jobs_service_id",
            "service_id",
            text("processing_started DESC NULLS FIRST"),
            text("created_at DESC"),
            "id",
        ),
        Index("ix_jobs_template_id", "template_id"),
        Index("ix_jobs_contact_list_id", "contact_list_id", postgresql_where=text("contact_list_id IS NOT NULL")),
        # for periodic tasks, which look for unfinished jobs
        Index(
            "ix_jobs_under_way",
            "job_status",
            "scheduled_for",
            postgresql_where=text("job_status IN ('pending', 'in progress', 'scheduled', 'finished', 'error')"),
        ),
        # for the retention of files
        Index("ix_jobs_with_files", text("coalesce(scheduled_for, created_at)"), postgresql_where=text("NOT archived")),
    )


class ReportRequest(Base):
    """A report that a user requested. `parameter` has `notification_type` and `notification_status`."""

    __tablename__ = "report_requests"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"))
    report_type: Mapped[str] = mapped_column(report_type_enum)
    status: Mapped[str] = mapped_column(report_status_enum, default="pending", server_default="pending")
    parameter: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict, server_default=text("'{}'"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None]

    __table_args__ = (
        Index("ix_report_requests_service_id", "service_id", "user_id", "created_at"),
        # for the nightly deletion of files
        Index("ix_report_requests_created_at", "created_at", postgresql_where=text("status <> 'deleted'")),
    )


def file_time(job: type[Job] = Job) -> Any:
    """The time from which the retention of a job's file counts."""
    return func.coalesce(job.scheduled_for, job.created_at)
