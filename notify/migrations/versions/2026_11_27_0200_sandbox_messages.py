"""Rename the sandbox's table of messages to `sandbox_messages`. Phase: before the code (development only: the sandbox
does not run elsewhere).
"""

from alembic import op

revision = "2026_11_27_0200"
down_revision = "0005"
branch_labels = None
depends_on = None

INDEXES = ("notification_id", "recipient", "unreported")
CONSTRAINTS = ("pk_{}", "ck_{}_channel", "ck_{}_outcome")


def _rename(old: str, new: str) -> None:
    op.rename_table(old, new)
    for index in INDEXES:
        op.execute(f"ALTER INDEX ix_{old}_{index} RENAME TO ix_{new}_{index}")
    for constraint in CONSTRAINTS:
        op.execute(f"ALTER TABLE {new} RENAME CONSTRAINT {constraint.format(old)} TO {constraint.format(new)}")
    op.execute(f"ALTER SEQUENCE IF EXISTS {old}_id_seq RENAME TO {new}_id_seq")


def upgrade() -> None:
    """Rename the table with its indexes and constraints."""
    _rename("sandbox_outbox", "sandbox_messages")


def downgrade() -> None:
    """Rename it back."""
    _rename("sandbox_messages", "sandbox_outbox")
