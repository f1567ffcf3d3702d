"""Partition the history by the month in a message's id.

Phase: before the code; both versions of the code work with both forms. No rows are copied or read: the existing table
becomes the default partition of a new one, with its indexes. That takes a lock for some milliseconds; waiting for it
ends after `lock_timeout`. The downgrade copies the rows of the other partitions into it, under the lock.
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

# roles that can read the history (for reports, for example) keep that right
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
"""  # noqa: S608 - constants of this file
_PARTITIONS = sa.text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = to_regclass(:table)")


def upgrade() -> None:
    """Make the table the default partition of a new one."""
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
    # this finds the equal indexes, and checks no rows: there is no other partition
    op.execute(f"ALTER TABLE {_TABLE} ATTACH PARTITION {_DEFAULT} DEFAULT")
    op.execute(_COPY_GRANTS)


def downgrade() -> None:
    """Move the rows of all partitions into the default one, which becomes the table again."""
    op.execute(f"LOCK TABLE {_TABLE} IN ACCESS EXCLUSIVE MODE")
    op.execute(f"ALTER TABLE {_TABLE} DETACH PARTITION {_DEFAULT}")
    op.execute(f"ALTER TABLE {_DEFAULT} DROP CONSTRAINT IF EXISTS ck_notification_history_not_to_come")
    for name in op.get_bind().scalars(_PARTITIONS, {"table": _TABLE}).all():
        op.execute(f"INSERT INTO {_DEFAULT} SELECT * FROM {name}")  # noqa: S608 - a table's name
    op.execute(f"DROP TABLE {_TABLE}")
    op.execute(f"ALTER TABLE {_DEFAULT} RENAME TO {_TABLE}")
    for index in (_KEY, *_INDEXES):
        op.execute(f"ALTER INDEX {index}_default RENAME TO {index}")
