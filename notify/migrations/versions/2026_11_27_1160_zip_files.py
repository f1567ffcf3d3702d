"""Zip files being sent to the print provider, and an index that finds letters of test keys.

Phase: before the code.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_27_1160"
down_revision = "2026_11_27_1140"
branch_labels = None
depends_on = None

moment = sa.DateTime(timezone=True)
TABLE = "letter_zip_files"
_TEST_LETTERS = "ix_notifications_test_letters"


def upgrade() -> None:
    """Create the table and the index."""
    op.create_table(
        TABLE,
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("keys", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f(f"pk_{TABLE}")),
    )
    op.create_index(
        "ix_letter_zip_files_under_way", TABLE, ["created_at"], postgresql_where=sa.text("ended_at IS NULL")
    )
    with op.get_context().autocommit_block():
        # invalid if an earlier attempt failed
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_TEST_LETTERS}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {_TEST_LETTERS} ON notifications (created_at, id)"
            " WHERE notification_type = 'letter' AND key_type = 'test'"
        )


def downgrade() -> None:
    """Drop both. The notes of zip files being sent are lost."""
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_TEST_LETTERS}")
    op.drop_table(TABLE)
