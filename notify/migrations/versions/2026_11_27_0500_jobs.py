"""Jobs, contact lists and report requests; an index for a job's messages. Phase: before the code."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_27_0500"
down_revision = "2026_11_27_0440"
branch_labels = None
depends_on = None

moment = sa.DateTime(timezone=True)
statuses = (
    "'pending', 'in progress', 'finished', 'finished all notifications created', 'sending limits exceeded', "
    "'scheduled', 'cancelled', 'ready to send', 'sent to dvla', 'error'"
)
report_types = postgresql.ENUM("notifications", name="report_request_report_type")
report_statuses = postgresql.ENUM(
    "pending", "in progress", "stored", "failed", "deleted", name="report_request_status_type"
)
template_types = postgresql.ENUM(name="template_type", create_type=False)
_OF_JOB = "ix_notifications_job_status"


def upgrade() -> None:
    """Create the tables and the index."""
    _contact_lists()
    _jobs()
    _report_requests()
    with op.get_context().autocommit_block():
        # invalid if an earlier attempt failed
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_OF_JOB}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {_OF_JOB} ON notifications (job_id, notification_status, job_row_number)"
            " WHERE job_id IS NOT NULL"
        )
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_notification_history_job_id")
        op.execute(
            "CREATE INDEX CONCURRENTLY ix_notification_history_job_id ON notification_history (job_id)"
            " WHERE job_id IS NOT NULL"
        )


def _contact_lists() -> None:
    op.create_table(
        "service_contact_list",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("original_file_name", sa.String(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("template_type", template_types, nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("archived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_contact_list_service_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_service_contact_list_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_contact_list")),
    )
    op.create_index(op.f("ix_service_contact_list_service_id"), "service_contact_list", ["service_id"])
    op.create_index(op.f("ix_service_contact_list_created_by_id"), "service_contact_list", ["created_by_id"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("original_file_name", sa.String(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("notification_count", sa.Integer(), nullable=False),
        sa.Column("processing_started", moment, nullable=True),
        sa.Column("processing_finished", moment, nullable=True),
        sa.Column("progressed_at", moment, nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("job_status", sa.String(length=255), server_default="pending", nullable=False),
        sa.Column("scheduled_for", moment, nullable=True),
        sa.Column("archived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("contact_list_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(f"job_status IN ({statuses})", name=op.f("ck_jobs_job_status")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_jobs_service_id")),
        sa.ForeignKeyConstraint(["template_id"], ["templates.id"], name=op.f("fk_jobs_template_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_jobs_created_by_id")),
        sa.ForeignKeyConstraint(["contact_list_id"], ["service_contact_list.id"], name=op.f("fk_jobs_contact_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    newest = (sa.text("processing_started DESC NULLS FIRST"), sa.text("created_at DESC"))
    op.create_index("ix_jobs_service_id", "jobs", ["service_id", *newest, "id"])
    op.create_index("ix_jobs_template_id", "jobs", ["template_id"])
    op.create_index(op.f("ix_jobs_created_by_id"), "jobs", ["created_by_id"])
    op.create_index(
        "ix_jobs_contact_list_id",
        "jobs",
        ["contact_list_id"],
        postgresql_where=sa.text("contact_list_id IS NOT NULL"),
    )
    op.create_index(
        "ix_jobs_under_way",
        "jobs",
        ["job_status", "scheduled_for"],
        postgresql_where=sa.text("job_status IN ('pending', 'in progress', 'scheduled', 'finished', 'error')"),
    )
    op.create_index(
        "ix_jobs_with_files",
        "jobs",
        [sa.text("coalesce(scheduled_for, created_at)")],
        postgresql_where=sa.text("NOT archived"),
    )


def _report_requests() -> None:
    report_types.create(op.get_bind(), checkfirst=True)
    report_statuses.create(op.get_bind(), checkfirst=True)
    types = postgresql.ENUM(name="report_request_report_type", create_type=False)
    kinds = postgresql.ENUM(name="report_request_status_type", create_type=False)
    op.create_table(
        "report_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("report_type", types, nullable=False),
        sa.Column("status", kinds, server_default="pending", nullable=False),
        sa.Column("parameter", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_report_requests_user_id")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_report_requests_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_requests")),
    )
    op.create_index("ix_report_requests_service_id", "report_requests", ["service_id", "user_id", "created_at"])
    op.create_index(
        "ix_report_requests_created_at",
        "report_requests",
        ["created_at"],
        postgresql_where=sa.text("status <> 'deleted'"),
    )


def downgrade() -> None:
    """Drop them."""
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_notification_history_job_id")
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_OF_JOB}")
    op.drop_table("report_requests")
    report_statuses.drop(op.get_bind())
    report_types.drop(op.get_bind())
    op.drop_table("jobs")
    op.drop_table("service_contact_list")
