"""Facts: the number of messages by day and status. Phase: before the code."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_0421"
down_revision = "2026_11_27_0420"
branch_labels = None
depends_on = None

moment = sa.DateTime(timezone=True)
_KEY = (
    "bst_date",
    "template_id",
    "service_id",
    "job_id",
    "notification_type",
    "key_type",
    "notification_status",
)


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "ft_notification_status",
        sa.Column("bst_date", sa.Date(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("notification_type", sa.String(), nullable=False),
        sa.Column("key_type", sa.String(), nullable=False),
        sa.Column("notification_status", sa.String(), nullable=False),
        sa.Column("notification_count", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.PrimaryKeyConstraint(*_KEY, name=op.f("pk_ft_notification_status")),
    )
    for columns in (["service_id", "bst_date"], ["template_id", "bst_date"], ["job_id"]):
        op.create_index(f"ix_ft_notification_status_{'_'.join(columns)}", "ft_notification_status", columns)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("ft_notification_status")
