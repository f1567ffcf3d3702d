"""When a message is to be sent. Phase: before the code.

The table is not rewritten: the new column has no default. The index is small: it contains only messages that are still
to be sent.
"""

from alembic import op

revision = "2026_11_27_1101"
down_revision = "2026_11_27_1100"
branch_labels = None
depends_on = None

_INDEX = "ix_notifications_scheduled_for"


def upgrade() -> None:
    """Add the column and its index. Safe to repeat: the autocommit block commits what precedes it."""
    op.execute("ALTER TABLE notifications ADD COLUMN IF NOT EXISTS scheduled_for timestamptz")
    with op.get_context().autocommit_block():
        # invalid if an earlier attempt failed
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_INDEX}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {_INDEX} ON notifications (scheduled_for)"
            " WHERE notification_status = 'created' AND next_try_at = scheduled_for"
        )


def downgrade() -> None:
    """Drop them."""
    op.drop_index(_INDEX, "notifications")
    op.drop_column("notifications", "scheduled_for")
