"""Codes and security keys of users. Phase: before the code."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_27_0402"
down_revision = "2026_11_27_0401"
branch_labels = None
depends_on = None

moment = sa.DateTime(timezone=True)
code_types = postgresql.ENUM("email", "sms", name="verify_code_types")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "verify_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("_code", sa.String(), nullable=False),
        sa.Column("code_type", code_types, nullable=False),
        sa.Column("expiry_datetime", moment, nullable=False),
        sa.Column("code_used", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_verify_codes_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verify_codes")),
    )
    op.create_index(op.f("ix_verify_codes_user_id"), "verify_codes", ["user_id"])
    op.create_index(op.f("ix_verify_codes_created_at"), "verify_codes", ["created_at"])
    op.create_table(
        "webauthn_credential",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("credential_data", sa.String(), nullable=False),
        sa.Column("registration_response", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("logged_in_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_webauthn_credential_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_webauthn_credential")),
    )
    op.create_index(op.f("ix_webauthn_credential_user_id"), "webauthn_credential", ["user_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_table("webauthn_credential")
    op.drop_table("verify_codes")
    code_types.drop(op.get_bind())
