"""Invitations to services and organisations; requests to join services. Phase: before the code."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_27_0430"
down_revision = "2026_11_27_0421"
branch_labels = None
depends_on = None

moment = sa.DateTime(timezone=True)
invitation_statuses = postgresql.ENUM("pending", "accepted", "cancelled", name="invited_users_status_types")
request_statuses = postgresql.ENUM(
    "pending", "approved", "rejected", "cancelled", name="service_join_requests_status_type"
)


def upgrade() -> None:
    """Create the tables."""
    _service_invitations()
    _organisation_invitations()
    _join_requests()


def _service_invitations() -> None:
    table = "invited_users"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email_address", sa.String(255), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("status", invitation_statuses, nullable=False),
        sa.Column("permissions", sa.String(), nullable=False),
        sa.Column("auth_type", sa.String(), server_default="sms_auth", nullable=False),
        sa.Column("folder_permissions", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(
            "auth_type IN ('sms_auth', 'email_auth', 'webauthn_auth')", name=op.f("ck_invited_users_auth_type")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_invited_users_user_id")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_invited_users_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invited_users")),
    )
    for column in ("user_id", "service_id", "created_at"):
        op.create_index(f"ix_invited_users_{column}", table, [column])


def _organisation_invitations() -> None:
    table = "invited_organisation_users"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email_address", sa.String(255), nullable=False),
        sa.Column("invited_by_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("status", sa.String(), server_default="pending", nullable=False),
        sa.Column("permissions", sa.String(), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'accepted', 'cancelled')", name=op.f("ck_invited_organisation_users_status")
        ),
        sa.ForeignKeyConstraint(
            ["invited_by_id"], ["users.id"], name=op.f("fk_invited_organisation_users_invited_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_invited_organisation_users_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invited_organisation_users")),
    )
    for column in ("organisation_id", "created_at"):
        op.create_index(f"ix_invited_organisation_users_{column}", table, [column])


def _join_requests() -> None:
    op.create_table(
        "service_join_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("requester_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("status", request_statuses, server_default="pending", nullable=False),
        sa.Column("status_changed_at", moment, nullable=True),
        sa.Column("status_changed_by_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["requester_id"], ["users.id"], name=op.f("fk_service_join_requests_requester_id")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_join_requests_service_id")),
        sa.ForeignKeyConstraint(
            ["status_changed_by_id"], ["users.id"], name=op.f("fk_service_join_requests_status_changed_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_join_requests")),
    )
    for column in ("requester_id", "service_id"):
        op.create_index(f"ix_service_join_requests_{column}", "service_join_requests", [column])
    table = "service_join_request_contacted_users"
    op.create_table(
        table,
        sa.Column("service_join_request_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["service_join_request_id"],
            ["service_join_requests.id"],
            name=op.f(f"fk_{table}_service_join_request_id"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id")),
        sa.PrimaryKeyConstraint("service_join_request_id", "user_id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_user_id"), table, ["user_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("service_join_request_contacted_users")
    op.drop_table("service_join_requests")
    op.drop_table("invited_organisation_users")
    op.drop_table("invited_users")
    request_statuses.drop(op.get_bind())
    invitation_statuses.drop(op.get_bind())
