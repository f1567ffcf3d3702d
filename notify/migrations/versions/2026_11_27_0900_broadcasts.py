"""Emergency alerts, their events, and the messages sent to each network. Phase: before the code."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_27_0900"
down_revision = "2026_11_27_0701"
branch_labels = None
depends_on = None

moment = sa.DateTime(timezone=True)
NUMBERS = "broadcast_provider_message_number_seq"


def _one_of(column: str, *values: str) -> str:
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def upgrade() -> None:
    """Create the tables."""
    _messages()
    _events()
    _provider_messages()


def _messages() -> None:
    table = "broadcast_message"
    users = ("created_by_id", "approved_by_id", "cancelled_by_id")
    keys = ("created_by_api_key_id", "cancelled_by_api_key_id")
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.Column("template_version", sa.Integer(), nullable=True),
        sa.Column("_personalisation", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("reference", sa.String(255), nullable=True),
        sa.Column("cap_event", sa.Text(), nullable=True),
        sa.Column("areas", postgresql.JSONB(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("stubbed", sa.Boolean(), nullable=False),
        *(sa.Column(name, moment, nullable=True) for name in ("starts_at", "finishes_at")),
        sa.Column("created_at", moment, nullable=False),
        *(sa.Column(name, moment, nullable=True) for name in ("approved_at", "cancelled_at", "updated_at")),
        *(sa.Column(name, sa.Uuid(), nullable=True) for name in (*users, *keys)),
        sa.CheckConstraint(
            _one_of(
                "status",
                "draft",
                "pending-approval",
                "rejected",
                "broadcasting",
                "completed",
                "cancelled",
                "technical-failure",
            ),
            name=op.f(f"ck_{table}_status"),
        ),
        sa.CheckConstraint(
            "created_by_id IS NOT NULL OR created_by_api_key_id IS NOT NULL", name=op.f(f"ck_{table}_created_by")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f(f"fk_{table}_service_id")),
        sa.ForeignKeyConstraint(
            ["template_id", "template_version"],
            ["templates_history.id", "templates_history.version"],
            name=op.f(f"fk_{table}_template_id_template_version"),
        ),
        *(sa.ForeignKeyConstraint([name], ["users.id"], name=op.f(f"fk_{table}_{name}")) for name in users),
        *(sa.ForeignKeyConstraint([name], ["api_keys.id"], name=op.f(f"fk_{table}_{name}")) for name in keys),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_service_id_created_at", table, ["service_id", "created_at", "id"])
    op.create_index(
        f"ix_{table}_reference", table, ["service_id", "reference"], postgresql_where=sa.text("reference IS NOT NULL")
    )
    op.create_index(
        f"ix_{table}_finishes_at", table, ["finishes_at"], postgresql_where=sa.text("status = 'broadcasting'")
    )
    op.create_index(f"ix_{table}_starts_at", table, ["starts_at"])


def _events() -> None:
    table = "broadcast_event"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("broadcast_message_id", sa.Uuid(), nullable=False),
        sa.Column("sent_at", moment, nullable=False),
        sa.Column("message_type", sa.String(), nullable=False),
        sa.Column("transmitted_content", postgresql.JSONB(), nullable=False),
        sa.Column("transmitted_areas", postgresql.JSONB(), nullable=False),
        sa.Column("transmitted_sender", sa.String(), nullable=False),
        sa.Column("transmitted_starts_at", moment, nullable=True),
        sa.Column("transmitted_finishes_at", moment, nullable=True),
        sa.Column("dispatched_at", moment, nullable=True),
        sa.CheckConstraint(_one_of("message_type", "alert", "update", "cancel"), name=op.f(f"ck_{table}_message_type")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f(f"fk_{table}_service_id")),
        sa.ForeignKeyConstraint(
            ["broadcast_message_id"], ["broadcast_message.id"], name=op.f(f"fk_{table}_broadcast_message_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(
        f"uix_{table}_message_type",
        table,
        ["broadcast_message_id", "message_type"],
        unique=True,
        postgresql_where=sa.text("message_type <> 'update'"),
    )
    op.create_index(f"ix_{table}_waiting", table, ["sent_at"], postgresql_where=sa.text("dispatched_at IS NULL"))


def _provider_messages() -> None:
    table = "broadcast_provider_message"
    op.create_table(
        table,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("broadcast_event_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", moment, nullable=False),
        sa.CheckConstraint(_one_of("provider", "ee", "vodafone", "three", "o2"), name=op.f(f"ck_{table}_provider")),
        sa.CheckConstraint(
            _one_of("status", "technical-failure", "sending", "returned-ack", "returned-error"),
            name=op.f(f"ck_{table}_status"),
        ),
        sa.ForeignKeyConstraint(
            ["broadcast_event_id"], ["broadcast_event.id"], name=op.f(f"fk_{table}_broadcast_event_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("broadcast_event_id", "provider", name=f"{table}_broadcast_event_id_provider_key"),
    )
    op.create_index(f"ix_{table}_due_at", table, ["due_at"], postgresql_where=sa.text("status = 'sending'"))
    op.execute(sa.schema.CreateSequence(sa.Sequence(NUMBERS)))
    number, message = f"{table}_number", f"{table}_id"
    op.create_table(
        number,
        sa.Column(number, sa.Integer(), server_default=sa.text(f"nextval('{NUMBERS}'::regclass)"), nullable=False),
        sa.Column(message, sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint([message], [f"{table}.id"], name=op.f(f"fk_{number}_{message}")),
        sa.PrimaryKeyConstraint(number, name=op.f(f"pk_{number}")),
        sa.UniqueConstraint(message, name=f"uq_{number}_message"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("broadcast_provider_message_number", "broadcast_provider_message"):
        op.drop_table(table)
    op.execute(sa.schema.DropSequence(sa.Sequence(NUMBERS)))
    for table in ("broadcast_event", "broadcast_message"):
        op.drop_table(table)
