"""One unbatched unsubscribe request for each message and address. Phase: before the code."""

from __future__ import annotations

from alembic import op

revision = "2026_11_27_0240"
down_revision = "2026_11_27_0231"
branch_labels = None
depends_on = None

_INDEX = "uq_unsubscribe_request_unbatched"


def upgrade() -> None:
    """Delete duplicate requests, and prevent new ones."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_INDEX}")  # invalid if an earlier attempt failed
        op.execute(
            "DELETE FROM unsubscribe_request later USING unsubscribe_request earlier"
            " WHERE later.unsubscribe_request_report_id IS NULL AND earlier.unsubscribe_request_report_id IS NULL"
            " AND later.notification_id = earlier.notification_id AND later.email_address = earlier.email_address"
            " AND (later.created_at, later.id) > (earlier.created_at, earlier.id)"
        )
        op.execute(
            f"CREATE UNIQUE INDEX CONCURRENTLY {_INDEX} ON unsubscribe_request (notification_id, email_address)"
            " WHERE unsubscribe_request_report_id IS NULL"
        )


def downgrade() -> None:
    """Allow duplicate requests again."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_INDEX}")
