"""Let the notes of what workers have in hand survive a crash of the server. Phase: before the code.

The table has a row for each batch that is under way: it is rewritten at once.
"""

from alembic import op

revision = "2026_11_28_0100"
down_revision = "2026_11_27_1160"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Write them to the log of the server."""
    op.execute("ALTER TABLE delivery_batches SET LOGGED")


def downgrade() -> None:
    """Leave them out of it."""
    op.execute("ALTER TABLE delivery_batches SET UNLOGGED")
