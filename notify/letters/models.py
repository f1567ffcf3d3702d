"""Tables of printed and returned letters (contract: data-model 2)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.columns import one_of
from notify.infra.database import Base
from notify.infra.ids import new_id
from notify.infra.times import utc_now

COST_THRESHOLDS = ("sorted", "unsorted")
"""Whether the print provider posted letters sorted, which is cheaper, or unsorted (contract: data-model 1)."""


class PrintRun(Base):
    """A day's print run, by its deadline. The row is written in the transaction that announces its volumes."""

    __tablename__ = "letter_print_runs"

    deadline: Mapped[datetime] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class LetterZipFile(Base):
    """A zip file for the print provider, recorded before it is sent. `keys` are those of its PDFs. `ended_at`: it
    arrived, or was given up.
    """

    __tablename__ = "letter_zip_files"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    keys: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]

    __table_args__ = (Index("ix_letter_zip_files_under_way", "created_at", postgresql_where=text("ended_at IS NULL")),)


class LetterDespatch(Base):
    """When and how a letter was posted. There is no foreign key: the letter may be in the history."""

    __tablename__ = "notifications_letter_despatch"

    notification_id: Mapped[UUID] = mapped_column(primary_key=True)
    despatched_on: Mapped[date | None]
    cost_threshold: Mapped[str]

    __table_args__ = (
        CheckConstraint(one_of("cost_threshold", COST_THRESHOLDS), name="cost_threshold"),
        Index("ix_notifications_letter_despatch_despatched_on", "despatched_on"),
    )


class ReturnedLetter(Base):
    """A returned letter. There is no foreign key to it: it may be in the history, or deleted."""

    __tablename__ = "returned_letters"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    reported_at: Mapped[date]
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"))
    notification_id: Mapped[UUID]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("notification_id", name="uq_returned_letters_notification_id"),
        # for statistics and summaries of a service, and the report of one day
        Index("ix_returned_letters_service_id", "service_id", "reported_at"),
    )


class DailySortedLetter(Base):
    """The numbers of sorted and unsorted letters in a response file (contract: letters 11.3, 2020)."""

    __tablename__ = "daily_sorted_letter"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    billing_day: Mapped[date]
    file_name: Mapped[str | None]
    unsorted_count: Mapped[int] = mapped_column(default=0)
    sorted_count: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("file_name", "billing_day", name="uq_daily_sorted_letter_file_name_billing_day"),
    )
