"""Store when an email address was last tried on a document. Phase: before the code."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_0250"
down_revision = "2026_11_27_0240"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("documents", sa.Column("confirmation_attempted_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Drop the column."""
    op.drop_column("documents", "confirmation_attempted_at")
