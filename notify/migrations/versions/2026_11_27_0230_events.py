"""Events reported by the admin app. Phase: before the code."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_0230"
down_revision = "2026_11_27_0200"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("event_type", sa.String(255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
    )
    op.create_index("ix_events_created_at", "events", ["created_at"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("events")
