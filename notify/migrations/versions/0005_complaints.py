"""Complaints about emails.

Revision 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "complaints",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("ses_feedback_id", sa.Text(), nullable=True),
        sa.Column("complaint_type", sa.Text(), nullable=True),
        sa.Column("complaint_date", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name="fk_complaints_service_id"),
        sa.PrimaryKeyConstraint("id", name="pk_complaints"),
    )
    op.create_index(
        "uq_complaints_notification_id_ses_feedback_id",
        "complaints",
        ["notification_id", "ses_feedback_id"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_index("ix_complaints_service_id", "complaints", ["service_id"])
    op.create_index("ix_complaints_created_at", "complaints", ["created_at"])


def downgrade() -> None:
    op.drop_table("complaints")
