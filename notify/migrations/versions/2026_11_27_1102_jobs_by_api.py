"""The API key that a job was created with, and its type. Phase: before the code.

The table is not rewritten: the new columns have constant defaults.
"""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_1102"
down_revision = "2026_11_27_1101"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("jobs", sa.Column("api_key_id", sa.Uuid(), nullable=True))
    op.add_column("jobs", sa.Column("key_type", sa.String(length=255), server_default="normal", nullable=False))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("jobs", "key_type")
    op.drop_column("jobs", "api_key_id")
