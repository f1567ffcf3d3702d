"""Facts of billing by local day. Phase: before the code."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_0501"
down_revision = "2026_11_27_0500"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "ft_billing",
        sa.Column("bst_date", sa.Date(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("notification_type", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("rate_multiplier", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("international", sa.Boolean(), nullable=False),
        sa.Column("rate", sa.Numeric(), nullable=False),
        sa.Column("postage", sa.String(), nullable=False),
        sa.Column("billable_units", sa.Integer(), nullable=True),
        sa.Column("notifications_sent", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint(
            "bst_date",
            "template_id",
            "service_id",
            "notification_type",
            "provider",
            "rate_multiplier",
            "international",
            "rate",
            "postage",
            name=op.f("pk_ft_billing"),
        ),
    )
    op.create_index("ix_ft_billing_bst_date", "ft_billing", ["bst_date"])
    op.create_index("ix_ft_billing_service_id", "ft_billing", ["service_id", "bst_date"])
    op.create_index("ix_ft_billing_template_id", "ft_billing", ["template_id"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("ft_billing")
