"""Facts of despatched letters and of processing times. Phase: before the code."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_0700"
down_revision = "2026_11_27_0620"
branch_labels = None
depends_on = None

moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "ft_billing_letter_despatch",
        sa.Column("bst_date", sa.Date(), nullable=False),
        sa.Column("postage", sa.String(), nullable=False),
        sa.Column("cost_threshold", sa.String(), nullable=False),
        sa.Column("rate", sa.Numeric(), nullable=False),
        sa.Column("billable_units", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("notifications_sent", sa.Integer(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.PrimaryKeyConstraint(
            "bst_date",
            "postage",
            "cost_threshold",
            "rate",
            "billable_units",
            name=op.f("pk_ft_billing_letter_despatch"),
        ),
    )
    op.create_table(
        "ft_processing_time",
        sa.Column("bst_date", sa.Date(), nullable=False),
        sa.Column("messages_total", sa.Integer(), nullable=False),
        sa.Column("messages_within_10_secs", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("bst_date", name=op.f("pk_ft_processing_time")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("ft_processing_time")
    op.drop_table("ft_billing_letter_despatch")
