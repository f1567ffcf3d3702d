"""Pending callbacks, their signing secrets, and the archive of received text messages.

Revision 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "pending_callbacks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("callback_type", sa.String(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pending_callbacks"),
        sa.UniqueConstraint("callback_type", "subject_id", name="uq_pending_callbacks_callback_type_subject_id"),
    )
    op.create_index(
        "ix_pending_callbacks_service_id_callback_type_due_at",
        "pending_callbacks",
        ["service_id", "callback_type", "due_at"],
    )
    for table in ("service_callback_api", "service_callback_api_history"):
        op.add_column(table, sa.Column("signing_secret", sa.LargeBinary(), nullable=True))
    op.create_table(
        "inbound_sms_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("notify_number", sa.String(), nullable=False),
        sa.Column("provider_date", moment, nullable=True),
        sa.Column("provider_reference", sa.String(), nullable=True),
        sa.Column("provider", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name="fk_inbound_sms_history_service_id"),
        sa.PrimaryKeyConstraint("id", name="pk_inbound_sms_history"),
    )
    op.create_index("ix_inbound_sms_history_service_id", "inbound_sms_history", ["service_id"])
    op.create_index(
        "ix_inbound_sms_provider_reference",
        "inbound_sms",
        ["provider_reference"],
        postgresql_where=sa.text("provider_reference IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_inbound_sms_provider_reference", "inbound_sms")
    op.drop_table("inbound_sms_history")
    for table in ("service_callback_api", "service_callback_api_history"):
        op.drop_column(table, "signing_secret")
    op.drop_table("pending_callbacks")
