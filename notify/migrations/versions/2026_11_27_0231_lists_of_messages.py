"""Indexes for lists of messages: every filter of `GET /v2/notifications` finds rare messages fast.

Phase: before the code. The index on the client's reference is replaced by one that also ends with the list's order.
"""

from __future__ import annotations

from alembic import op

revision = "2026_11_27_0231"
down_revision = "2026_11_27_0230"
branch_labels = None
depends_on = None

_LIST = "ix_notifications_list"
_BY_REFERENCE = "ix_notifications_list_by_reference"
_OLD = "ix_notifications_client_reference"
_ORDER = "key_type, notification_type, notification_status, (job_id IS NOT NULL), created_at, id"


def upgrade() -> None:
    """Create the new indexes, then drop the old one."""
    with op.get_context().autocommit_block():
        # invalid if an earlier attempt failed
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_LIST}")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_BY_REFERENCE}")
        op.execute(f"CREATE INDEX CONCURRENTLY {_LIST} ON notifications (service_id, {_ORDER})")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {_BY_REFERENCE} ON notifications"
            f" (service_id, hashtextextended(client_reference, 0), {_ORDER}) WHERE client_reference IS NOT NULL"
        )
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_OLD}")


def downgrade() -> None:
    """Create the old index again, and drop the new ones."""
    with op.get_context().autocommit_block():
        op.execute(
            f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {_OLD} ON notifications (service_id, client_reference)"
            " WHERE client_reference IS NOT NULL"
        )
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_LIST}")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_BY_REFERENCE}")
