"""An index with which a service's messages are counted without reading their rows. Phase: before the code.

It replaces one with fewer columns. Safe to run again after an interruption.
"""

from alembic import op

revision = "2026_11_27_0701"
down_revision = "2026_11_27_0700"
branch_labels = None
depends_on = None

_NAME = "ix_notifications_service_created_at"
_COUNTED = "template_id, job_id, notification_type, notification_status, key_type"


def upgrade() -> None:
    """Replace the index with the wider one."""
    _replace(f"(service_id, created_at, id) INCLUDE ({_COUNTED})")


def downgrade() -> None:
    """Replace it with the earlier one."""
    _replace("(service_id, created_at, id)")


def _replace(columns: str) -> None:
    with op.get_context().autocommit_block():
        # invalid if an earlier attempt failed
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_NAME}_new")
        op.execute(f"CREATE INDEX CONCURRENTLY {_NAME}_new ON notifications {columns}")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_NAME}")
        op.execute(f"ALTER INDEX {_NAME}_new RENAME TO {_NAME}")
