"""Print runs, and the reports of the print provider and the postal service about letters. Phase: before the code."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_0620"
down_revision = "2026_11_27_0510"
branch_labels = None
depends_on = None


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "letter_print_runs",
        _moment("deadline"),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("deadline", name=op.f("pk_letter_print_runs")),
    )
    op.create_table(
        "notifications_letter_despatch",
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("despatched_on", sa.Date(), nullable=True),
        sa.Column("cost_threshold", sa.String(), nullable=False),
        sa.CheckConstraint(
            "cost_threshold IN ('sorted', 'unsorted')", name=op.f("ck_notifications_letter_despatch_cost_threshold")
        ),
        sa.PrimaryKeyConstraint("notification_id", name=op.f("pk_notifications_letter_despatch")),
    )
    op.create_index(
        "ix_notifications_letter_despatch_despatched_on", "notifications_letter_despatch", ["despatched_on"]
    )
    op.create_table(
        "returned_letters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reported_at", sa.Date(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        _moment("created_at"),
        _moment("updated_at", nullable=True),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_returned_letters_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returned_letters")),
        sa.UniqueConstraint("notification_id", name="uq_returned_letters_notification_id"),
    )
    op.create_index("ix_returned_letters_service_id", "returned_letters", ["service_id", "reported_at"])
    op.create_table(
        "daily_sorted_letter",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("billing_day", sa.Date(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=True),
        sa.Column("unsorted_count", sa.Integer(), nullable=False),
        sa.Column("sorted_count", sa.Integer(), nullable=False),
        _moment("updated_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_daily_sorted_letter")),
        sa.UniqueConstraint("file_name", "billing_day", name="uq_daily_sorted_letter_file_name_billing_day"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("daily_sorted_letter", "returned_letters", "notifications_letter_despatch", "letter_print_runs"):
        op.drop_table(table)
