"""Tables of messages (contract: data-model 2.5).

`notifications` is the hot table: it carries no foreign keys (services, templates and keys are never deleted, and the
accept path has just read them), and only the indexes a query needs. See docs/decisions/.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from sqlalchemy import (
    DDL,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.columns import enum
from notify.infra.database import Base
from notify.infra.ids import new_id
from notify.infra.secrets import ENCRYPTED, EncryptedColumn
from notify.infra.times import utc_now
from notify.vocabulary import NOTIFICATION_TYPES, STATUSES

notification_type_enum = enum("notification_type", NOTIFICATION_TYPES)

_STATUS_CHECK = "notification_status IN (" + ", ".join(f"'{status}'" for status in STATUSES) + ")"
_KEY_TYPE_CHECK = "key_type IN ('normal', 'team', 'test')"


_LIST_ORDER = ("key_type", "notification_type", "notification_status", text("(job_id IS NOT NULL)"), "created_at", "id")

_SENT_FROM_NUMBER = "notification_type = 'sms' AND reply_to_text LIKE '447%'"

TO: Final = EncryptedColumn("notifications", "to")
PERSONALISATION: Final = EncryptedColumn("notifications", "_personalisation")
ANSWER: Final = EncryptedColumn("idempotency_keys", "answer")

OF_ITS_LIST: Final = "m.tries >= 0"
"""True of every message `m`, and not to be seen in an index. Queries that are made for the index of lists have it as a
condition: otherwise the planner may take the index that statistics are counted from, whose entries have nearly all
columns, and read every message of a service for each kind of messages (docs/decisions/0020).
"""
HISTORY_DEFAULT: Final = "notification_history_default"
"""The default partition of the history. The others are created by `messages/partitions.py`."""


class _Message:
    """Columns that a live message and its archived form share: none of them personal."""

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    job_id: Mapped[UUID | None]
    job_row_number: Mapped[int | None]
    service_id: Mapped[UUID]
    template_id: Mapped[UUID]
    template_version: Mapped[int]
    api_key_id: Mapped[UUID | None]
    key_type: Mapped[str]
    notification_type: Mapped[str] = mapped_column(notification_type_enum)
    created_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    sent_by: Mapped[str | None]
    updated_at: Mapped[datetime | None]
    reference: Mapped[str | None]
    billable_units: Mapped[int] = mapped_column(default=0, server_default="0")
    client_reference: Mapped[str | None]
    international: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    phone_prefix: Mapped[str | None]
    rate_multiplier: Mapped[Decimal | None] = mapped_column(Numeric)
    notification_status: Mapped[str] = mapped_column(default="created", server_default="created")
    created_by_id: Mapped[UUID | None]
    postage: Mapped[str | None]
    document_download_count: Mapped[int | None]


class Notification(_Message, Base):
    """A message within its retention period. `to`, `personalisation` and the sender are encrypted at rest;
    `normalised_to` is what users search by, in the contract's searchable form.
    """

    __tablename__ = "notifications"

    to: Mapped[bytes] = mapped_column(LargeBinary, info={ENCRYPTED: TO})
    personalisation: Mapped[bytes | None] = mapped_column(
        "_personalisation", LargeBinary, info={ENCRYPTED: PERSONALISATION}
    )
    normalised_to: Mapped[str | None]
    reply_to_text: Mapped[str | None]
    unsubscribe_link: Mapped[str | None]
    # delivery state: see messages/deliver
    tries: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    interrupted: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    next_try_at: Mapped[datetime | None]
    scheduled_for: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(_STATUS_CHECK, name="status"),
        CheckConstraint(_KEY_TYPE_CHECK, name="key_type"),
        CheckConstraint("unsubscribe_link IS NULL OR notification_type = 'email'", name="unsubscribe_link"),
        UniqueConstraint("job_id", "job_row_number", name="uq_notifications_job_row_number"),
        # for the statistics of a job, and its list by status
        Index(
            "ix_notifications_job_status",
            "job_id",
            "notification_status",
            "job_row_number",
            postgresql_where=text("job_id IS NOT NULL"),
        ),
        # for dashboards and nightly facts: counts a service's messages of some days from the index alone
        Index(
            "ix_notifications_service_created_at",
            "service_id",
            "created_at",
            "id",
            postgresql_include=["template_id", "job_id", "notification_type", "notification_status", "key_type"],
        ),
        # for lists: all their filters, then their order (docs/decisions/0020)
        Index("ix_notifications_list", "service_id", *_LIST_ORDER),
        Index(
            "ix_notifications_list_by_reference",
            "service_id",
            text("hashtextextended(client_reference, 0)"),
            *_LIST_ORDER,
            postgresql_where=text("client_reference IS NOT NULL"),
        ),
        Index("ix_notifications_reference", "reference", postgresql_where=text("reference IS NOT NULL")),
        # finds when a service last sent from its number; senders that are names are not in it
        Index(
            "ix_notifications_sent_from_number",
            "service_id",
            "reply_to_text",
            "created_at",
            postgresql_where=text(_SENT_FROM_NUMBER),
        ),
        # for the sweeper, the timeout and the statistics of providers, which only need unfinished messages
        Index(
            "ix_notifications_under_way",
            "notification_status",
            "notification_type",
            "created_at",
            postgresql_where=text("notification_status IN ('created', 'sending', 'pending', 'pending-virus-check')"),
        ),
        # scheduled messages that are not due yet, or just due
        Index(
            "ix_notifications_scheduled_for",
            "scheduled_for",
            postgresql_where=text("notification_status = 'created' AND next_try_at = scheduled_for"),
        ),
        # letters whose PDF may be missing; there are few
        Index(
            "ix_notifications_test_letters",
            "created_at",
            "id",
            postgresql_where=text("notification_type = 'letter' AND key_type = 'test'"),
        ),
        Index(
            "ix_notifications_normalised_to_trgm",
            "normalised_to",
            postgresql_using="gin",
            postgresql_ops={"normalised_to": "gin_trgm_ops"},
        ),
        Index(
            "ix_notifications_client_reference_trgm",
            "client_reference",
            postgresql_using="gin",
            postgresql_ops={"client_reference": "gin_trgm_ops"},
        ),
    )


def sent_from_number() -> ColumnElement[bool]:
    """The condition for messages whose sender is a British mobile number. Needed in a query to use their index."""
    return text(_SENT_FROM_NUMBER)  # type: ignore[return-value]


class DeliveryBatch(Base):
    """The messages that a worker is sending. A row left by a crash of the worker or the database shows which messages
    may have been sent although their rows are `created`.
    """

    __tablename__ = "delivery_batches"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    taken_at: Mapped[datetime]
    message_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))


class IdempotencyKey(Base):
    """The answer to a request with an idempotency key, kept for a day. The id is a digest of the service, the type of
    its API key and the idempotency key.
    """

    __tablename__ = "idempotency_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime]
    answer: Mapped[bytes] = mapped_column(LargeBinary, info={ENCRYPTED: ANSWER})

    __table_args__ = (Index("ix_idempotency_keys_created_at", "created_at"),)


class NotificationHistory(_Message, Base):
    """A message after its retention period, without personal data. Partitioned by month, by ids, which begin with their
    time (docs/decisions/0043).
    """

    __tablename__ = "notification_history"

    __table_args__ = (
        CheckConstraint(_STATUS_CHECK, name="status"),
        Index("ix_notification_history_created_at", "created_at"),
        Index(
            "ix_notification_history_service_id_composite", "service_id", "key_type", "notification_type", "created_at"
        ),
        Index("ix_notification_history_job_id", "job_id", postgresql_where=text("job_id IS NOT NULL")),
        Index("ix_notification_history_reference", "reference", postgresql_where=text("reference IS NOT NULL")),
        {"postgresql_partition_by": "RANGE (id)"},
    )


event.listen(
    NotificationHistory.__table__,
    "after_create",
    DDL(f"CREATE TABLE {HISTORY_DEFAULT} PARTITION OF notification_history DEFAULT"),  # type: ignore[no-untyped-call]
)


class Complaint(Base):
    """A recipient's complaint that an email is spam, reported by their mail service through SES. There is no foreign
    key to the message: complaints may come, and are kept, when it is in the history.
    """

    __tablename__ = "complaints"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    notification_id: Mapped[UUID]
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"))
    ses_feedback_id: Mapped[str | None] = mapped_column(Text)
    complaint_type: Mapped[str | None] = mapped_column(Text)
    complaint_date: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        # SES may send an event more than once
        Index(
            "uq_complaints_notification_id_ses_feedback_id",
            "notification_id",
            "ses_feedback_id",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
        Index("ix_complaints_service_id", "service_id"),
        Index("ix_complaints_created_at", "created_at"),
    )
