"""Facts of despatched letters and of processing times. Phase: before the code."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_27_0700"
down_revision = "2026_11_27_0501"
branch_labels = None
depends_on = None

moment = sa.DateTime(timezone=True)
thresholds = postgresql.ENUM("sorted", "unsorted", name="letter_despatch_cost_threshold")
threshold = postgresql.ENUM(name="letter_despatch_cost_threshold", create_type=False)


def upgrade() -> None:
    """Create the tables."""
    thresholds.create(op.get_bind(), checkfirst=True)
    op.create_table(
        "notifications_letter_despatch",
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("despatched_on", sa.Date(), nullable=True),
        sa.Column("cost_threshold", threshold, nullable=False),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_notifications_letter_despatch")),
    )
    op.create_index(
        "ix_notifications_letter_despatch_despatched_on", "notifications_letter_despatch", ["despatched_on"]
    )
    op.create_table(
        "ft_billing_letter_despatch",
        sa.Column("bst_date", sa.Date(), nullable=False),
        sa.Column("postage", sa.String(), nullable=False),
        sa.Column("cost_threshold", threshold, nullable=False),
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
    op.drop_table("notifications_letter_despatch")
    thresholds.drop(op.get_bind())
