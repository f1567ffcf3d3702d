"""Permissions and branding pools of organisations; NHS brandings. Phase: before the code."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_27_0401"
down_revision = "2026_11_27_0400"
branch_labels = None
depends_on = None

permission_types = postgresql.ENUM("can_ask_to_join_a_service", name="organisation_permission_types")

NHS_LOGO = "1ac6f483-3105-4c9e-9017-dd7fb2752c44-nhs-blue_x2.png"


def upgrade() -> None:
    """Create the tables; every organisation gets the permission and the pools that a new one has."""
    op.create_table(
        "organisation_permissions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("permission", permission_types, nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_organisation_permissions_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_permissions")),
        sa.UniqueConstraint("organisation_id", "permission", name="uix_organisation_permission"),
    )
    _pool("email_branding")
    _pool("letter_branding")
    op.execute(
        "INSERT INTO organisation_permissions (id, permission, organisation_id, created_at)"
        " SELECT gen_random_uuid(), 'can_ask_to_join_a_service', id, now() FROM organisation"
    )
    # the built-in branding has no author and no timestamps
    op.execute(
        sa.text(
            "UPDATE email_branding SET logo = :logo, created_at = NULL"
            " WHERE id = 'a7dc4e56-660b-4db7-8cff-12c37b12b5ea' AND logo = 'nhs.png'"
        ).bindparams(logo=NHS_LOGO)
    )
    op.execute("UPDATE letter_branding SET created_at = NULL WHERE id = '2cd354bb-6b85-eda3-c0ad-6b613150459f'")


def _pool(branding: str) -> None:
    table = f"{branding}_to_organisation"
    op.create_table(
        table,
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column(f"{branding}_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f(f"fk_{table}_organisation_id")),
        sa.ForeignKeyConstraint([f"{branding}_id"], [f"{branding}.id"], name=op.f(f"fk_{table}_{branding}_id")),
        sa.PrimaryKeyConstraint("organisation_id", f"{branding}_id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_{branding}_id"), table, [f"{branding}_id"])
    op.execute(
        f"INSERT INTO {table} (organisation_id, {branding}_id)"  # noqa: S608 - constants of this file
        f" SELECT id, {branding}_id FROM organisation WHERE {branding}_id IS NOT NULL"
    )


def downgrade() -> None:
    """Drop the tables. The brandings stay as they are."""
    op.drop_table("letter_branding_to_organisation")
    op.drop_table("email_branding_to_organisation")
    op.drop_table("organisation_permissions")
    permission_types.drop(op.get_bind())
