"""Indexes for received texts by sender, and for the time when a service last sent from its number.

Phase: before the code. The index on the senders of received texts is replaced by one for each service's list of them.
"""

from __future__ import annotations

from alembic import op

revision = "2026_11_27_0440"
down_revision = "2026_11_27_0430"
branch_labels = None
depends_on = None

_SENT = "ix_notifications_sent_from_number"
_RECEIVED = "ix_inbound_sms_service_id_user_number"
_OLD = "ix_inbound_sms_user_number"


def upgrade() -> None:
    """Create the new indexes, then drop the old one."""
    with op.get_context().autocommit_block():
        # invalid if an earlier attempt failed
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_SENT}")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_RECEIVED}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {_SENT} ON notifications (service_id, reply_to_text, created_at)"
            " WHERE notification_type = 'sms' AND reply_to_text LIKE '447%'"
        )
        op.execute(f"CREATE INDEX CONCURRENTLY {_RECEIVED} ON inbound_sms (service_id, user_number, created_at, id)")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_OLD}")


def downgrade() -> None:
    """Create the old index again, and drop the new ones."""
    with op.get_context().autocommit_block():
        op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {_OLD} ON inbound_sms (user_number)")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_SENT}")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_RECEIVED}")
