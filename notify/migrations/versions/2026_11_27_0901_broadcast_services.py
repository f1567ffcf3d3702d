"""Services of emergency alerts: their permission, their settings, their organisation, and the sandbox's networks.
Phase: before the code.
"""

import os
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_27_0901"
down_revision = "2026_11_27_0900"
branch_labels = None
depends_on = None

moment = sa.DateTime(timezone=True)
ORGANISATION = "38e4bf69-93b0-445d-acee-53ea53fe02df"
OTHERS = (
    "edit_folder_permissions",
    "email",
    "email_auth",
    "inbound_sms",
    "international_letters",
    "international_sms",
    "letter",
    "sms",
    "sms_to_uk_landlines",
)


def _one_of(column: str, *values: str) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def _allow(*permissions: str) -> None:
    name = op.f("ck_service_permissions_permission")
    op.drop_constraint(name, "service_permissions", type_="check")
    op.create_check_constraint(name, "service_permissions", _one_of("permission", *permissions))


def upgrade() -> None:
    """Create the tables and, except in production, the organisation (contract: broadcasts 1)."""
    _allow("broadcast", *OTHERS)
    table = "service_broadcast_settings"
    op.create_table(
        table,
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.CheckConstraint(
            _one_of("channel", "operator", "test", "severe", "government"), name=op.f(f"ck_{table}_channel")
        ),
        sa.CheckConstraint(
            _one_of("provider", "three", "o2", "vodafone", "ee", "all"), name=op.f(f"ck_{table}_provider")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f(f"fk_{table}_service_id")),
        sa.PrimaryKeyConstraint("service_id", name=op.f(f"pk_{table}")),
    )
    op.create_table(
        "sandbox_broadcasts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("function", sa.String(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("document", sa.Text(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_broadcasts")),
    )
    environment = os.environ.get("NOTIFY_ENVIRONMENT", "development")
    if environment != "production":
        _add_organisation(f"Broadcast Services ({environment})")


def _add_organisation(name: str) -> None:
    insert = sa.text(
        "INSERT INTO organisation (id, name, active, created_at, organisation_type, agreement_signed) "
        "VALUES (:id, :name, true, :now, 'central', NULL) ON CONFLICT DO NOTHING"
    )
    op.get_bind().execute(insert, {"id": ORGANISATION, "name": name, "now": datetime.now(UTC)})
    allow = sa.text(
        "INSERT INTO organisation_permissions (id, organisation_id, permission, created_at) "
        "VALUES (:id, :id, 'can_ask_to_join_a_service', :now) ON CONFLICT DO NOTHING"
    )
    op.get_bind().execute(allow, {"id": ORGANISATION, "now": datetime.now(UTC)})


def downgrade() -> None:
    """Drop the tables. Delete the organisation if it has no services."""
    op.drop_table("sandbox_broadcasts")
    op.drop_table("service_broadcast_settings")
    op.execute("DELETE FROM service_permissions WHERE permission = 'broadcast'")
    for table in ("organisation_permissions", "organisation"):
        column = "id" if table == "organisation" else "organisation_id"
        op.execute(
            f"DELETE FROM {table} WHERE {column} = '{ORGANISATION}' "  # noqa: S608 - constants of this code
            f"AND NOT EXISTS (SELECT FROM services WHERE organisation_id = '{ORGANISATION}')"
        )
    _allow(*OTHERS)
