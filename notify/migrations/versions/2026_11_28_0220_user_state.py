"""The state of a user is free text.

Phase: before the code.
"""

from __future__ import annotations

from alembic import op

revision = "2026_11_28_0220"
down_revision = "2026_11_28_0100"
branch_labels = None
depends_on = None

_STATES = "state IN ('pending', 'active', 'inactive')"


def upgrade() -> None:
    """Drop the check."""
    op.drop_constraint(op.f("ck_users_state"), "users", type_="check")


def downgrade() -> None:
    """Check again, except rows that are there already."""
    op.create_check_constraint(op.f("ck_users_state"), "users", _STATES, postgresql_not_valid=True)
