"""The history is partitioned by the month of a message's id.

Phase: before the code; code of either version works with either form. Nothing is copied and nothing is read: the table
that was there becomes the default partition of a new one, with the indexes that it has. That takes one lock of some
milliseconds, which is waited for no longer than `lock_timeout`. Going back copies the rows of the other partitions into
it, under the lock.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_1140"
down_revision = "2026_11_27_1102"
branch_labels = None
depends_on = None

_TABLE = "notification_history"
_DEFAULT = "notification_history_default"
_KEY = "pk_notification_history"
_INDEXES = {
    "ix_notification_history_created_at": "(created_at)",
    "ix_notification_history_service_id_composite": "(service_id, key_type, notification_type, created_at)",
    "ix_notification_history_job_id": "(job_id) WHERE job_id IS NOT NULL",
    "ix_notification_history_reference": "(reference) WHERE reference IS NOT NULL",
}

# whoever may read the history (for reports, say) may go on doing so
_COPY_GRANTS = f"""
DO $$
DECLARE given record;
BEGIN
    FOR given IN
        SELECT a.grantee, a.privilege_type, a.is_grantable FROM pg_class c, aclexplode(c.relacl) a
        WHERE c.oid = '{_DEFAULT}'::regclass AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT %s ON {_TABLE} TO %s%s', given.privilege_type,
                       CASE given.grantee WHEN 0 THEN 'PUBLIC' ELSE given.grantee::regrole::text END,
                       CASE WHEN given.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
END $$
"""  # noqa: S608 - names of this file
_PARTITIONS = sa.text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:table)")


def upgrade() -> None:
    """Put the table below a new one."""
    op.execute(f"LOCK TABLE {_TABLE} IN ACCESS EXCLUSIVE MODE")
    op.execute(f"ALTER TABLE {_TABLE} RENAME TO {_DEFAULT}")
    for index in (_KEY, *_INDEXES):
        op.execute(f"ALTER INDEX {index} RENAME TO {index}_default")
    op.execute(
        f"CREATE TABLE {_TABLE} (LIKE {_DEFAULT} INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (id)"
    )
    op.execute(f"ALTER TABLE {_TABLE} ADD CONSTRAINT {_KEY} PRIMARY KEY (id)")
    for index, columns in _INDEXES.items():
        op.execute(f"CREATE INDEX {index} ON {_TABLE} {columns}")
    # finds the equal indexes, and has no condition to check: there is no other partition
    op.execute(f"ALTER TABLE {_TABLE} ATTACH PARTITION {_DEFAULT} DEFAULT")
    op.execute(_COPY_GRANTS)


def downgrade() -> None:
    """Take the rows of all partitions into the default one, which is the table again."""
    op.execute(f"LOCK TABLE {_TABLE} IN ACCESS EXCLUSIVE MODE")
    op.execute(f"ALTER TABLE {_TABLE} DETACH PARTITION {_DEFAULT}")
    op.execute(f"ALTER TABLE {_DEFAULT} DROP CONSTRAINT IF EXISTS ck_notification_history_not_to_come")
    for name in op.get_bind().scalars(_PARTITIONS, {"table": _TABLE}).all():
        op.execute(f"INSERT INTO {_DEFAULT} SELECT * FROM {name}")  # noqa: S608 - a table's name
    op.execute(f"DROP TABLE {_TABLE}")
    op.execute(f"ALTER TABLE {_DEFAULT} RENAME TO {_TABLE}")
    for index in (_KEY, *_INDEXES):
        op.execute(f"ALTER INDEX {index}_default RENAME TO {index}")
