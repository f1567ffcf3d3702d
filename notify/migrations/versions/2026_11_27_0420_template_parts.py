"""Files of email templates and attachments of letter templates; folders by their parent. Phase: before the code."""

import sqlalchemy as sa
from alembic import op

revision = "2026_11_27_0420"
down_revision = "2026_11_27_0410"
branch_labels = None
depends_on = None

moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Create the tables, columns and indexes."""
    _attachments()
    _email_files("template_email_files")
    _email_files("template_email_files_history")
    op.create_index(
        "ix_template_email_files_pending",
        "template_email_files",
        ["created_at"],
        postgresql_where=sa.text("pending AND archived_at IS NULL"),
    )
    op.create_index(
        "ix_template_email_files_archived_at",
        "template_email_files",
        ["archived_at"],
        postgresql_where=sa.text("archived_at IS NOT NULL"),
    )
    op.create_index(op.f("ix_template_folder_parent_id"), "template_folder", ["parent_id"])


def _attachments() -> None:
    op.create_table(
        "letter_attachment",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("archived_at", moment, nullable=True),
        sa.Column("archived_by_id", sa.Uuid(), nullable=True),
        sa.Column("original_filename", sa.String(), nullable=False),
        sa.Column("page_count", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_letter_attachment_created_by_id")),
        sa.ForeignKeyConstraint(["archived_by_id"], ["users.id"], name=op.f("fk_letter_attachment_archived_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_attachment")),
    )
    for table in ("templates", "templates_history"):
        op.add_column(table, sa.Column("letter_attachment_id", sa.Uuid(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_{table}_letter_attachment_id"), table, "letter_attachment", ["letter_attachment_id"], ["id"]
        )
        op.create_check_constraint(
            op.f(f"ck_{table}_letter_attachment"),
            table,
            "letter_attachment_id IS NULL OR template_type = 'letter'",
        )
    op.create_index(
        "ix_templates_letter_attachment_id",
        "templates",
        ["letter_attachment_id"],
        postgresql_where=sa.text("letter_attachment_id IS NOT NULL"),
    )


def _email_files(table: str) -> None:
    is_history = table.endswith("history")
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=False),
        sa.Column("link_text", sa.Text(), nullable=True),
        sa.Column("retention_period", sa.Integer(), nullable=False),
        sa.Column("validate_users_email", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("archived_at", moment, nullable=True),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("archived_by_id", sa.Uuid(), nullable=True),
        sa.Column("pending", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=None if is_history else "1", nullable=False),
        sa.ForeignKeyConstraint(["template_id"], ["templates.id"], name=op.f(f"fk_{table}_template_id")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f(f"fk_{table}_created_by_id")),
        sa.ForeignKeyConstraint(["archived_by_id"], ["users.id"], name=op.f(f"fk_{table}_archived_by_id")),
        sa.PrimaryKeyConstraint(*(["id", "version"] if is_history else ["id"]), name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_template_id"), table, ["template_id"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index(op.f("ix_template_folder_parent_id"), "template_folder")
    op.drop_table("template_email_files_history")
    op.drop_table("template_email_files")
    op.drop_column("templates_history", "letter_attachment_id")
    op.drop_column("templates", "letter_attachment_id")
    op.drop_table("letter_attachment")
