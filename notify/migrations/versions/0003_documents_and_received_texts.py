"""Files sent by email, and received text messages.

Revision 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("available_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("confirmation_hash", sa.String(), nullable=True),
        sa.Column("confirmation_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("description", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name="fk_documents_service_id"),
        sa.PrimaryKeyConstraint("id", name="pk_documents"),
    )
    op.create_index("ix_documents_available_until", "documents", ["available_until"])
    op.create_index("ix_documents_service_id", "documents", ["service_id"])
    op.create_table(
        "inbound_sms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("notify_number", sa.String(), nullable=False),
        sa.Column("user_number", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provider_date", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_reference", sa.String(), nullable=True),
        sa.Column("provider", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name="fk_inbound_sms_service_id"),
        sa.PrimaryKeyConstraint("id", name="pk_inbound_sms"),
    )
    op.create_index("ix_inbound_sms_service_id_created_at", "inbound_sms", ["service_id", "created_at", "id"])
    op.create_index("ix_inbound_sms_user_number", "inbound_sms", ["user_number"])


def downgrade() -> None:
    op.drop_table("inbound_sms")
    op.drop_table("documents")
