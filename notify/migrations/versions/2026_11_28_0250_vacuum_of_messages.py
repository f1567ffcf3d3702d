"""The table of messages is vacuumed after a twentieth of it has changed, in place of a fifth: what was sent today is
counted from an index, whose entries say nothing about rows that no VACUUM has seen (docs/decisions/0034).

Phase: before the code. Nobody who reads or writes waits for its lock.
"""

from __future__ import annotations

from alembic import op

revision = "2026_11_28_0250"
down_revision = "2026_11_28_0221"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Set when autovacuum comes."""
    op.execute(
        "ALTER TABLE notifications SET (autovacuum_vacuum_scale_factor = 0.05,"
        " autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02)"
    )


def downgrade() -> None:
    """Take the server's settings again."""
    op.execute(
        "ALTER TABLE notifications RESET (autovacuum_vacuum_scale_factor,"
        " autovacuum_vacuum_insert_scale_factor, autovacuum_analyze_scale_factor)"
    )
