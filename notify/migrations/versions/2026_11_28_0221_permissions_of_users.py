"""An index that gives what users may do in the order in which the list of users has it.

Phase: before the code.
"""

from __future__ import annotations

from alembic import op

revision = "2026_11_28_0221"
down_revision = "2026_11_28_0220"
branch_labels = None
depends_on = None

_NEW = "ix_permissions_user_id_service_id"
_OLD = "ix_permissions_user_id"


def upgrade() -> None:
    """Create the index, and drop the one that it makes needless."""
    _replace(_OLD, _NEW, "user_id, service_id, permission")


def downgrade() -> None:
    """The other way round."""
    _replace(_NEW, _OLD, "user_id")


def _replace(old: str, new: str, columns: str) -> None:
    with op.get_context().autocommit_block():
        # what an earlier attempt left behind is not valid
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {new}")
        op.execute(f"CREATE INDEX CONCURRENTLY {new} ON permissions ({columns})")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {old}")
