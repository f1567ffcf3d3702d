"""Keep the state of delivery in the database: attempts, the next attempt, workers' batches. Phase: before the code.

The table is not rewritten: the new columns have constant defaults. `delivery_batches` is unlogged: a crash of the
server ends every batch, so its rows have no value afterwards.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_27_0320"
down_revision = "2026_11_27_0310"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns and the table."""
    op.add_column("notifications", sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("notifications", sa.Column("interrupted", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("notifications", sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "delivery_batches",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("message_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_batches")),
        prefixes=["UNLOGGED"],
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("delivery_batches")
    op.drop_column("notifications", "next_try_at")
    op.drop_column("notifications", "interrupted")
    op.drop_column("notifications", "tries")
