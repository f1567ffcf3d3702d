"""A row that shows at start whether the configured keys can decrypt the data. Phase: before the code."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_0310"
down_revision = "2026_11_27_0250"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table. The first process that starts writes its row."""
    op.create_table(
        "encryption_check",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_encryption_check")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("encryption_check")
