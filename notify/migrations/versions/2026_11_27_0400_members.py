"""Members of organisations and of folders; search of users by a part of their address. Phase: before the code."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_27_0400"
down_revision = "2026_11_27_0320"
branch_labels = None
depends_on = None

moment = sa.DateTime(timezone=True)
permission_types = postgresql.ENUM("can_make_services_live", name="organisation_user_permission_types")


def upgrade() -> None:
    """Create the tables and the index."""
    _organisations()
    _folders()
    op.create_index(
        "ix_users_email_address_part",
        "users",
        ["email_address"],
        postgresql_using="gin",
        postgresql_ops={"email_address": "gin_trgm_ops"},
    )


def _organisations() -> None:
    op.create_table(
        "user_to_organisation",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_to_organisation_user_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_user_to_organisation_organisation_id")
        ),
        sa.PrimaryKeyConstraint("user_id", "organisation_id", name=op.f("pk_user_to_organisation")),
    )
    op.create_index(op.f("ix_user_to_organisation_organisation_id"), "user_to_organisation", ["organisation_id"])
    op.create_table(
        "organisation_user_permissions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("permission", permission_types, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_organisation_user_permissions_organisation_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_organisation_user_permissions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_user_permissions")),
        sa.UniqueConstraint("organisation_id", "user_id", "permission", name="uix_organisation_user_permission"),
    )
    op.create_index(op.f("ix_organisation_user_permissions_user_id"), "organisation_user_permissions", ["user_id"])


def _folders() -> None:
    op.create_table(
        "user_folder_permissions",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("template_folder_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["template_folder_id", "service_id"],
            ["template_folder.id", "template_folder.service_id"],
            name=op.f("fk_user_folder_permissions_template_folder_id_service_id"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id", "service_id"],
            ["user_to_service.user_id", "user_to_service.service_id"],
            name=op.f("fk_user_folder_permissions_user_id_service_id"),
        ),
        sa.PrimaryKeyConstraint("user_id", "template_folder_id", "service_id", name=op.f("pk_user_folder_permissions")),
    )
    op.create_index("ix_user_folder_permissions_template_folder_id", "user_folder_permissions", ["template_folder_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("ix_users_email_address_part", "users")
    op.drop_table("user_folder_permissions")
    op.drop_table("organisation_user_permissions")
    op.drop_table("user_to_organisation")
    permission_types.drop(op.get_bind())
