"""Text message senders that need approval. Phase: before the code."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_0410"
down_revision = "2026_11_27_0402"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "protected_sender_ids",
        sa.Column("sender_id", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("sender_id", name=op.f("pk_protected_sender_ids")),
    )


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("protected_sender_ids")
