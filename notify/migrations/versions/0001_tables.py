"""Every table of the first version.

Revision 0001, the first.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

moment = sa.DateTime(timezone=True)

notification_type = postgresql.ENUM("email", "sms", "letter", name="notification_type", create_type=False)
permission_types = postgresql.ENUM(
    "manage_users",
    "manage_templates",
    "manage_settings",
    "send_texts",
    "send_emails",
    "send_letters",
    "manage_api_keys",
    "platform_admin",
    "view_activity",
    "create_broadcasts",
    "approve_broadcasts",
    "cancel_broadcasts",
    "reject_broadcasts",
    name="permission_types",
    create_type=False,
)
recipient_type = postgresql.ENUM("mobile", "email", name="recipient_type", create_type=False)
template_type = postgresql.ENUM("sms", "email", "letter", "broadcast", name="template_type", create_type=False)
letter_language_options = postgresql.ENUM(
    "english", "welsh_then_english", name="letter_language_options", create_type=False
)

ENUMS = (
    notification_type,
    permission_types,
    recipient_type,
    template_type,
    letter_language_options,
)

# in the order in which they are created
TABLES = (
    "users",
    "email_branding",
    "letter_branding",
    "organisation",
    "domain",
    "services",
    "services_history",
    "service_permissions",
    "service_email_branding",
    "service_letter_branding",
    "inbound_numbers",
    "service_sms_senders",
    "service_email_reply_to",
    "service_letter_contacts",
    "service_whitelist",
    "service_data_retention",
    "service_callback_api",
    "service_callback_api_history",
    "api_keys",
    "api_keys_history",
    "annual_billing",
    "default_annual_allowance",
    "user_to_service",
    "permissions",
    "templates",
    "templates_history",
    "template_redacted",
    "template_folder",
    "template_folder_map",
    "unsubscribe_request_report",
    "unsubscribe_request",
    "unsubscribe_request_history",
    "letter_rates",
    "rates",
    "notification_history",
    "notifications",
    "sandbox_outbox",
    "provider_details",
    "provider_details_history",
)


def one_of(column: str, *values: str) -> str:
    """The check that a column holds one of these values."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def upgrade() -> None:
    """Forward."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for enum in ENUMS:
        enum.create(op.get_bind())
    _people()
    _branding()
    _organisations()
    _services()
    _members()
    _templates()
    _unsubscribe_requests()
    _prices()
    _messages()
    _providers()


def downgrade() -> None:
    """Back. The extension stays: it may have been there before."""
    for table in reversed(TABLES):
        op.drop_table(table)
    for enum in ENUMS:
        enum.drop(op.get_bind())


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email_address", sa.String(length=255), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("_password", sa.String(), nullable=False),
        sa.Column("mobile_number", sa.String(), nullable=True),
        sa.Column("password_changed_at", moment, nullable=False),
        sa.Column("logged_in_at", moment, nullable=True),
        sa.Column("failed_login_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.String(), server_default="pending", nullable=False),
        sa.Column("platform_admin", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("current_session_id", sa.Uuid(), nullable=True),
        sa.Column("auth_type", sa.String(), server_default="sms_auth", nullable=False),
        sa.Column("email_access_validated_at", moment, nullable=False),
        sa.Column("take_part_in_research", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("receives_new_features_email", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint(
            "auth_type IN ('email_auth', 'webauthn_auth') OR mobile_number IS NOT NULL",
            name=op.f("ck_users_mobile_or_other_auth"),
        ),
        sa.CheckConstraint(
            one_of("auth_type", "sms_auth", "email_auth", "webauthn_auth"), name=op.f("ck_users_auth_type")
        ),
        sa.CheckConstraint(one_of("state", "pending", "active", "inactive"), name=op.f("ck_users_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
    )
    op.create_index("ix_users_email_address", "users", [sa.literal_column("lower(email_address)")], unique=True)
    # ### end Alembic commands ###


def _branding() -> None:
    op.create_table(
        "email_branding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("colour", sa.String(length=7), nullable=True),
        sa.Column("logo", sa.String(length=255), nullable=True),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("text", sa.String(length=255), nullable=True),
        sa.Column("brand_type", sa.String(length=255), server_default="org", nullable=False),
        sa.Column("created_at", moment, nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("updated_by", sa.Uuid(), nullable=True),
        sa.Column("alt_text", sa.String(length=255), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.CheckConstraint(
            one_of("brand_type", "org", "both", "org_banner"), name=op.f("ck_email_branding_brand_type")
        ),
        sa.CheckConstraint(
            "(text IS NULL) <> (alt_text IS NULL)", name=op.f("ck_email_branding_one_of_text_and_alt_text")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["users.id"], name=op.f("fk_email_branding_created_by")),
        sa.ForeignKeyConstraint(["updated_by"], ["users.id"], name=op.f("fk_email_branding_updated_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_branding")),
        sa.UniqueConstraint("name", name=op.f("uq_email_branding_name")),
    )
    op.create_table(
        "letter_branding",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("filename", sa.String(length=255), nullable=False),
        sa.Column("created_at", moment, nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("updated_by_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_letter_branding_created_by_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["users.id"], name=op.f("fk_letter_branding_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_branding")),
        sa.UniqueConstraint("filename", name=op.f("uq_letter_branding_filename")),
        sa.UniqueConstraint("name", name=op.f("uq_letter_branding_name")),
    )
    # ### end Alembic commands ###


def _organisations() -> None:
    op.create_table(
        "organisation",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("email_branding_id", sa.Uuid(), nullable=True),
        sa.Column("letter_branding_id", sa.Uuid(), nullable=True),
        sa.Column("agreement_signed", sa.Boolean(), nullable=True),
        sa.Column("agreement_signed_at", moment, nullable=True),
        sa.Column("agreement_signed_by_id", sa.Uuid(), nullable=True),
        sa.Column("agreement_signed_version", sa.Double(), nullable=True),
        sa.Column("crown", sa.Boolean(), nullable=True),
        sa.Column("organisation_type", sa.String(length=255), nullable=True),
        sa.Column("request_to_go_live_notes", sa.Text(), nullable=True),
        sa.Column("agreement_signed_on_behalf_of_email_address", sa.String(length=255), nullable=True),
        sa.Column("agreement_signed_on_behalf_of_name", sa.String(length=255), nullable=True),
        sa.Column("billing_contact_email_addresses", sa.Text(), nullable=True),
        sa.Column("billing_contact_names", sa.Text(), nullable=True),
        sa.Column("billing_reference", sa.String(length=255), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("purchase_order_number", sa.String(length=255), nullable=True),
        sa.Column("can_approve_own_go_live_requests", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint(
            one_of(
                "organisation_type",
                "central",
                "emergency_service",
                "local",
                "nhs",
                "nhs_central",
                "nhs_gp",
                "nhs_local",
                "nhs_notify",
                "other",
                "school_or_college",
            ),
            name=op.f("ck_organisation_organisation_type"),
        ),
        sa.ForeignKeyConstraint(
            ["agreement_signed_by_id"], ["users.id"], name=op.f("fk_organisation_agreement_signed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["email_branding_id"], ["email_branding.id"], name=op.f("fk_organisation_email_branding_id")
        ),
        sa.ForeignKeyConstraint(
            ["letter_branding_id"], ["letter_branding.id"], name=op.f("fk_organisation_letter_branding_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
    )
    op.create_index("ix_organisation_name", "organisation", ["name"], unique=True)
    op.create_table(
        "domain",
        sa.Column("domain", sa.String(length=255), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_domain_organisation_id")),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_domain")),
    )
    op.create_index(op.f("ix_domain_organisation_id"), "domain", ["organisation_id"], unique=False)
    # ### end Alembic commands ###


def _services() -> None:
    op.create_table(
        "services",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_type", sa.String(length=255), nullable=True),
        sa.Column("prefix_sms", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("crown", sa.Boolean(), nullable=True),
        sa.Column("rate_limit", sa.Integer(), server_default="3000", nullable=False),
        sa.Column("contact_link", sa.String(length=255), nullable=True),
        sa.Column("consent_to_research", sa.Boolean(), nullable=True),
        sa.Column("volume_email", sa.Integer(), nullable=True),
        sa.Column("volume_letter", sa.Integer(), nullable=True),
        sa.Column("volume_sms", sa.Integer(), nullable=True),
        sa.Column("count_as_live", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("go_live_at", moment, nullable=True),
        sa.Column("go_live_user_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("billing_contact_email_addresses", sa.Text(), nullable=True),
        sa.Column("billing_contact_names", sa.Text(), nullable=True),
        sa.Column("billing_reference", sa.String(length=255), nullable=True),
        sa.Column("purchase_order_number", sa.String(length=255), nullable=True),
        sa.Column("letter_message_limit", sa.BigInteger(), nullable=False),
        sa.Column("sms_message_limit", sa.BigInteger(), nullable=False),
        sa.Column("email_message_limit", sa.BigInteger(), nullable=False),
        sa.Column("has_active_go_live_request", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("normalised_service_name", sa.String(), nullable=False),
        sa.Column("custom_email_sender_name", sa.String(length=255), nullable=True),
        sa.Column("email_sender_local_part", sa.String(length=255), nullable=False),
        sa.Column("international_sms_message_limit", sa.BigInteger(), server_default="250000", nullable=False),
        sa.Column("confirmed_unique", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("confirmed_email_sender_name", sa.Boolean(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            one_of(
                "organisation_type",
                "central",
                "emergency_service",
                "local",
                "nhs",
                "nhs_central",
                "nhs_gp",
                "nhs_local",
                "nhs_notify",
                "other",
                "school_or_college",
            ),
            name=op.f("ck_services_organisation_type"),
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_services_created_by_id")),
        sa.ForeignKeyConstraint(["go_live_user_id"], ["users.id"], name=op.f("fk_services_go_live_user_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_services_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_services")),
        sa.UniqueConstraint("name", name="services_name_key"),
        sa.UniqueConstraint("normalised_service_name", name="services_normalised_service_name_key"),
    )
    op.create_index("ix_services_created_by_id", "services", ["created_by_id"], unique=False)
    op.create_index("ix_services_organisation_id", "services", ["organisation_id"], unique=False)
    op.create_table(
        "services_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("organisation_type", sa.String(length=255), nullable=True),
        sa.Column("prefix_sms", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("crown", sa.Boolean(), nullable=True),
        sa.Column("rate_limit", sa.Integer(), server_default="3000", nullable=False),
        sa.Column("contact_link", sa.String(length=255), nullable=True),
        sa.Column("consent_to_research", sa.Boolean(), nullable=True),
        sa.Column("volume_email", sa.Integer(), nullable=True),
        sa.Column("volume_letter", sa.Integer(), nullable=True),
        sa.Column("volume_sms", sa.Integer(), nullable=True),
        sa.Column("count_as_live", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("go_live_at", moment, nullable=True),
        sa.Column("go_live_user_id", sa.Uuid(), nullable=True),
        sa.Column("organisation_id", sa.Uuid(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("billing_contact_email_addresses", sa.Text(), nullable=True),
        sa.Column("billing_contact_names", sa.Text(), nullable=True),
        sa.Column("billing_reference", sa.String(length=255), nullable=True),
        sa.Column("purchase_order_number", sa.String(length=255), nullable=True),
        sa.Column("letter_message_limit", sa.BigInteger(), nullable=False),
        sa.Column("sms_message_limit", sa.BigInteger(), nullable=False),
        sa.Column("email_message_limit", sa.BigInteger(), nullable=False),
        sa.Column("has_active_go_live_request", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("normalised_service_name", sa.String(), nullable=False),
        sa.Column("custom_email_sender_name", sa.String(length=255), nullable=True),
        sa.Column("email_sender_local_part", sa.String(length=255), nullable=False),
        sa.Column("international_sms_message_limit", sa.BigInteger(), server_default="250000", nullable=False),
        sa.Column("confirmed_unique", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("confirmed_email_sender_name", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_services_history")),
    )
    op.create_table(
        "service_permissions",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("permission", sa.String(length=255), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.CheckConstraint(
            one_of(
                "permission",
                "edit_folder_permissions",
                "email",
                "email_auth",
                "inbound_sms",
                "international_letters",
                "international_sms",
                "letter",
                "sms",
                "sms_to_uk_landlines",
            ),
            name=op.f("ck_service_permissions_permission"),
        ),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_permissions_service_id")),
        sa.PrimaryKeyConstraint("service_id", "permission", name=op.f("pk_service_permissions")),
    )
    op.create_table(
        "service_email_branding",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("email_branding_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["email_branding_id"], ["email_branding.id"], name=op.f("fk_service_email_branding_email_branding_id")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_email_branding_service_id")),
        sa.PrimaryKeyConstraint("service_id", name=op.f("pk_service_email_branding")),
    )
    op.create_table(
        "service_letter_branding",
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("letter_branding_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["letter_branding_id"], ["letter_branding.id"], name=op.f("fk_service_letter_branding_letter_branding_id")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_letter_branding_service_id")),
        sa.PrimaryKeyConstraint("service_id", name=op.f("pk_service_letter_branding")),
    )
    op.create_table(
        "inbound_numbers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=11), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_inbound_numbers_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_numbers")),
        sa.UniqueConstraint("number", name="inbound_numbers_number_key"),
    )
    op.create_index("ix_inbound_numbers_service_id", "inbound_numbers", ["service_id"], unique=True)
    op.create_table(
        "service_sms_senders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sms_sender", sa.String(length=11), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("inbound_number_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("archived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["inbound_number_id"], ["inbound_numbers.id"], name=op.f("fk_service_sms_senders_inbound_number_id")
        ),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_sms_senders_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_sms_senders")),
    )
    op.create_index(
        "ix_service_sms_senders_inbound_number_id", "service_sms_senders", ["inbound_number_id"], unique=True
    )
    op.create_index(op.f("ix_service_sms_senders_service_id"), "service_sms_senders", ["service_id"], unique=False)
    op.create_index(
        "uix_service_sms_senders_default",
        "service_sms_senders",
        ["service_id"],
        unique=True,
        postgresql_where=sa.text("is_default AND NOT archived"),
    )
    op.create_table(
        "service_email_reply_to",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("email_address", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("archived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_email_reply_to_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_email_reply_to")),
    )
    op.create_index(
        op.f("ix_service_email_reply_to_service_id"), "service_email_reply_to", ["service_id"], unique=False
    )
    op.create_index(
        "uix_service_email_reply_to_default",
        "service_email_reply_to",
        ["service_id"],
        unique=True,
        postgresql_where=sa.text("is_default AND NOT archived"),
    )
    op.create_table(
        "service_letter_contacts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("contact_block", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("archived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_letter_contacts_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_letter_contacts")),
    )
    op.create_index(
        op.f("ix_service_letter_contacts_service_id"), "service_letter_contacts", ["service_id"], unique=False
    )
    op.create_index(
        "uix_service_letter_contacts_default",
        "service_letter_contacts",
        ["service_id"],
        unique=True,
        postgresql_where=sa.text("is_default AND NOT archived"),
    )
    op.create_table(
        "service_whitelist",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("recipient_type", recipient_type, nullable=False),
        sa.Column("recipient", sa.String(length=255), nullable=False),
        sa.Column("created_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_whitelist_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_whitelist")),
    )
    op.create_index(op.f("ix_service_whitelist_service_id"), "service_whitelist", ["service_id"], unique=False)
    op.create_table(
        "service_data_retention",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("notification_type", notification_type, nullable=False),
        sa.Column("days_of_retention", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_data_retention_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_data_retention")),
        sa.UniqueConstraint("service_id", "notification_type", name="uix_service_data_retention"),
    )
    op.create_table(
        "service_callback_api",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("bearer_token", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("updated_by_id", sa.Uuid(), nullable=False),
        sa.Column("callback_type", sa.String(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            one_of("callback_type", "complaint", "delivery_status", "inbound_sms", "returned_letter"),
            name=op.f("ck_service_callback_api_callback_type"),
        ),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_service_callback_api_service_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["users.id"], name=op.f("fk_service_callback_api_updated_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_callback_api")),
        sa.UniqueConstraint("service_id", "callback_type", name="uix_service_callback_type"),
    )
    op.create_table(
        "service_callback_api_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("bearer_token", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("updated_by_id", sa.Uuid(), nullable=False),
        sa.Column("callback_type", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_service_callback_api_history")),
    )
    op.create_index(
        "ix_service_callback_api_history_service_id", "service_callback_api_history", ["service_id"], unique=False
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("expiry_date", moment, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("key_type", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(one_of("key_type", "normal", "team", "test"), name=op.f("ck_api_keys_key_type")),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_api_keys_created_by_id")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_api_keys_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
    )
    op.create_index("ix_api_keys_service_id", "api_keys", ["service_id"], unique=False)
    op.create_index(
        "uix_service_to_key_name",
        "api_keys",
        ["service_id", "name"],
        unique=True,
        postgresql_where=sa.text("expiry_date IS NULL"),
    )
    op.create_table(
        "api_keys_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("expiry_date", moment, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("key_type", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_api_keys_history")),
    )
    op.create_index("ix_api_keys_history_service_id", "api_keys_history", ["service_id"], unique=False)
    op.create_table(
        "annual_billing",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("financial_year_start", sa.Integer(), nullable=False),
        sa.Column("free_sms_fragment_limit", sa.Integer(), nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("high_volume_service_last_year", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("has_custom_allowance", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_annual_billing_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_annual_billing")),
        sa.UniqueConstraint("service_id", "financial_year_start", name="uix_service_id_financial_year_start"),
    )
    op.create_table(
        "default_annual_allowance",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("valid_from_financial_year_start", sa.Integer(), nullable=False),
        sa.Column("organisation_type", sa.String(length=255), nullable=True),
        sa.Column("allowance", sa.Integer(), nullable=False),
        sa.Column("notification_type", notification_type, nullable=False),
        sa.CheckConstraint(
            one_of(
                "organisation_type",
                "central",
                "emergency_service",
                "local",
                "nhs",
                "nhs_central",
                "nhs_gp",
                "nhs_local",
                "nhs_notify",
                "other",
                "school_or_college",
            ),
            name=op.f("ck_default_annual_allowance_organisation_type"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_default_annual_allowance")),
    )
    # ### end Alembic commands ###


def _members() -> None:
    op.create_table(
        "user_to_service",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_user_to_service_service_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_user_to_service_user_id")),
        sa.PrimaryKeyConstraint("user_id", "service_id", name=op.f("pk_user_to_service")),
    )
    op.create_index(op.f("ix_user_to_service_service_id"), "user_to_service", ["service_id"], unique=False)
    op.create_table(
        "permissions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("permission", permission_types, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_permissions_service_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_permissions_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_permissions")),
        sa.UniqueConstraint("service_id", "user_id", "permission", name="uix_service_user_permission"),
    )
    op.create_index(op.f("ix_permissions_user_id"), "permissions", ["user_id"], unique=False)
    # ### end Alembic commands ###


def _templates() -> None:
    op.create_table(
        "templates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("template_type", template_type, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("archived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("service_letter_contact_id", sa.Uuid(), nullable=True),
        sa.Column("hidden", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("postage", sa.String(), nullable=True),
        sa.Column("letter_welsh_content", sa.Text(), nullable=True),
        sa.Column("letter_welsh_subject", sa.Text(), nullable=True),
        sa.Column("letter_languages", letter_language_options, nullable=True),
        sa.Column("has_unsubscribe_link", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint(
            "(letter_languages IS NOT NULL) = (template_type = 'letter')", name=op.f("ck_templates_letter_languages")
        ),
        sa.CheckConstraint(
            "NOT has_unsubscribe_link OR template_type = 'email'", name=op.f("ck_templates_has_unsubscribe_link")
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_templates_created_by_id")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_templates_service_id")),
        sa.ForeignKeyConstraint(
            ["service_letter_contact_id"],
            ["service_letter_contacts.id"],
            name=op.f("fk_templates_service_letter_contact_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_templates")),
    )
    op.create_index("ix_templates_service_id", "templates", ["service_id"], unique=False)
    op.create_table(
        "templates_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("template_type", template_type, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=False),
        sa.Column("archived", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("service_letter_contact_id", sa.Uuid(), nullable=True),
        sa.Column("hidden", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("postage", sa.String(), nullable=True),
        sa.Column("letter_welsh_content", sa.Text(), nullable=True),
        sa.Column("letter_welsh_subject", sa.Text(), nullable=True),
        sa.Column("letter_languages", letter_language_options, nullable=True),
        sa.Column("has_unsubscribe_link", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint(
            "(letter_languages IS NOT NULL) = (template_type = 'letter')",
            name=op.f("ck_templates_history_letter_languages"),
        ),
        sa.CheckConstraint(
            "NOT has_unsubscribe_link OR template_type = 'email'",
            name=op.f("ck_templates_history_has_unsubscribe_link"),
        ),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_templates_history_created_by_id")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_templates_history_service_id")),
        sa.ForeignKeyConstraint(
            ["service_letter_contact_id"],
            ["service_letter_contacts.id"],
            name=op.f("fk_templates_history_service_letter_contact_id"),
        ),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_templates_history")),
    )
    op.create_index("ix_templates_history_service_id", "templates_history", ["service_id"], unique=False)
    op.create_table(
        "template_redacted",
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("redact_personalisation", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("updated_at", moment, nullable=False),
        sa.Column("updated_by_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["template_id"], ["templates.id"], name=op.f("fk_template_redacted_template_id")),
        sa.ForeignKeyConstraint(["updated_by_id"], ["users.id"], name=op.f("fk_template_redacted_updated_by_id")),
        sa.PrimaryKeyConstraint("template_id", name=op.f("pk_template_redacted")),
    )
    op.create_table(
        "template_folder",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["parent_id"], ["template_folder.id"], name=op.f("fk_template_folder_parent_id")),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_template_folder_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_template_folder")),
        sa.UniqueConstraint("id", "service_id", name="ix_id_service_id"),
    )
    op.create_index(op.f("ix_template_folder_service_id"), "template_folder", ["service_id"], unique=False)
    op.create_table(
        "template_folder_map",
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_folder_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["template_folder_id"], ["template_folder.id"], name=op.f("fk_template_folder_map_template_folder_id")
        ),
        sa.ForeignKeyConstraint(["template_id"], ["templates.id"], name=op.f("fk_template_folder_map_template_id")),
        sa.PrimaryKeyConstraint("template_id", name=op.f("pk_template_folder_map")),
    )
    op.create_index(
        op.f("ix_template_folder_map_template_folder_id"), "template_folder_map", ["template_folder_id"], unique=False
    )
    # ### end Alembic commands ###


def _unsubscribe_requests() -> None:
    op.create_table(
        "unsubscribe_request_report",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("earliest_timestamp", moment, nullable=False),
        sa.Column("latest_timestamp", moment, nullable=False),
        sa.Column("processed_by_service_at", moment, nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_unsubscribe_request_report_service_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unsubscribe_request_report")),
    )
    op.create_index(
        op.f("ix_unsubscribe_request_report_service_id"), "unsubscribe_request_report", ["service_id"], unique=False
    )
    op.create_table(
        "unsubscribe_request",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("email_address", sa.Text(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("unsubscribe_request_report_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(["service_id"], ["services.id"], name=op.f("fk_unsubscribe_request_service_id")),
        sa.ForeignKeyConstraint(
            ["template_id", "template_version"],
            ["templates_history.id", "templates_history.version"],
            name=op.f("fk_unsubscribe_request_template_id_template_version"),
        ),
        sa.ForeignKeyConstraint(
            ["unsubscribe_request_report_id"],
            ["unsubscribe_request_report.id"],
            name=op.f("fk_unsubscribe_request_unsubscribe_request_report_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unsubscribe_request")),
    )
    op.create_index(
        op.f("ix_unsubscribe_request_notification_id"), "unsubscribe_request", ["notification_id"], unique=False
    )
    op.create_index(op.f("ix_unsubscribe_request_service_id"), "unsubscribe_request", ["service_id"], unique=False)
    op.create_index(
        op.f("ix_unsubscribe_request_unsubscribe_request_report_id"),
        "unsubscribe_request",
        ["unsubscribe_request_report_id"],
        unique=False,
    )
    op.create_table(
        "unsubscribe_request_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("unsubscribe_request_report_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["service_id"], ["services.id"], name=op.f("fk_unsubscribe_request_history_service_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unsubscribe_request_history")),
    )
    op.create_index(
        op.f("ix_unsubscribe_request_history_notification_id"),
        "unsubscribe_request_history",
        ["notification_id"],
        unique=False,
    )
    # ### end Alembic commands ###


def _prices() -> None:
    op.create_table(
        "letter_rates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("start_date", moment, nullable=False),
        sa.Column("end_date", moment, nullable=True),
        sa.Column("sheet_count", sa.Integer(), nullable=False),
        sa.Column("rate", sa.Numeric(), nullable=False),
        sa.Column("crown", sa.Boolean(), nullable=False),
        sa.Column("post_class", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_rates")),
    )
    op.create_table(
        "rates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", moment, nullable=False),
        sa.Column("rate", sa.Numeric(), nullable=False),
        sa.Column("notification_type", notification_type, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rates")),
    )
    op.create_index("ix_rates_notification_type", "rates", ["notification_type"], unique=False)
    # ### end Alembic commands ###


def _messages() -> None:
    op.create_table(
        "notification_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("job_row_number", sa.Integer(), nullable=True),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("api_key_id", sa.Uuid(), nullable=True),
        sa.Column("key_type", sa.String(), nullable=False),
        sa.Column("notification_type", notification_type, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("sent_at", moment, nullable=True),
        sa.Column("sent_by", sa.String(), nullable=True),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("billable_units", sa.Integer(), server_default="0", nullable=False),
        sa.Column("client_reference", sa.String(), nullable=True),
        sa.Column("international", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("phone_prefix", sa.String(), nullable=True),
        sa.Column("rate_multiplier", sa.Numeric(), nullable=True),
        sa.Column("notification_status", sa.String(), server_default="created", nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("postage", sa.String(), nullable=True),
        sa.Column("document_download_count", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            one_of(
                "notification_status",
                "cancelled",
                "created",
                "sending",
                "sent",
                "delivered",
                "pending",
                "failed",
                "technical-failure",
                "temporary-failure",
                "permanent-failure",
                "pending-virus-check",
                "validation-failed",
                "virus-scan-failed",
                "returned-letter",
            ),
            name=op.f("ck_notification_history_status"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification_history")),
    )
    op.create_index("ix_notification_history_created_at", "notification_history", ["created_at"], unique=False)
    op.create_index(
        "ix_notification_history_reference",
        "notification_history",
        ["reference"],
        unique=False,
        postgresql_where=sa.text("reference IS NOT NULL"),
    )
    op.create_index(
        "ix_notification_history_service_id_composite",
        "notification_history",
        ["service_id", "key_type", "notification_type", "created_at"],
        unique=False,
    )
    op.create_table(
        "notifications",
        sa.Column("to", sa.LargeBinary(), nullable=False),
        sa.Column("_personalisation", sa.LargeBinary(), nullable=True),
        sa.Column("normalised_to", sa.String(), nullable=True),
        sa.Column("reply_to_text", sa.String(), nullable=True),
        sa.Column("unsubscribe_link", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("job_row_number", sa.Integer(), nullable=True),
        sa.Column("service_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=False),
        sa.Column("template_version", sa.Integer(), nullable=False),
        sa.Column("api_key_id", sa.Uuid(), nullable=True),
        sa.Column("key_type", sa.String(), nullable=False),
        sa.Column("notification_type", notification_type, nullable=False),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("sent_at", moment, nullable=True),
        sa.Column("sent_by", sa.String(), nullable=True),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("reference", sa.String(), nullable=True),
        sa.Column("billable_units", sa.Integer(), server_default="0", nullable=False),
        sa.Column("client_reference", sa.String(), nullable=True),
        sa.Column("international", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("phone_prefix", sa.String(), nullable=True),
        sa.Column("rate_multiplier", sa.Numeric(), nullable=True),
        sa.Column("notification_status", sa.String(), server_default="created", nullable=False),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("postage", sa.String(), nullable=True),
        sa.Column("document_download_count", sa.Integer(), nullable=True),
        sa.CheckConstraint(one_of("key_type", "normal", "team", "test"), name=op.f("ck_notifications_key_type")),
        sa.CheckConstraint(
            one_of(
                "notification_status",
                "cancelled",
                "created",
                "sending",
                "sent",
                "delivered",
                "pending",
                "failed",
                "technical-failure",
                "temporary-failure",
                "permanent-failure",
                "pending-virus-check",
                "validation-failed",
                "virus-scan-failed",
                "returned-letter",
            ),
            name=op.f("ck_notifications_status"),
        ),
        sa.CheckConstraint(
            "unsubscribe_link IS NULL OR notification_type = 'email'", name=op.f("ck_notifications_unsubscribe_link")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("job_id", "job_row_number", name="uq_notifications_job_row_number"),
    )
    op.create_index(
        "ix_notifications_client_reference",
        "notifications",
        ["service_id", "client_reference"],
        unique=False,
        postgresql_where=sa.text("client_reference IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_client_reference_trgm",
        "notifications",
        ["client_reference"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"client_reference": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_notifications_normalised_to_trgm",
        "notifications",
        ["normalised_to"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"normalised_to": "gin_trgm_ops"},
    )
    op.create_index(
        "ix_notifications_reference",
        "notifications",
        ["reference"],
        unique=False,
        postgresql_where=sa.text("reference IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_service_created_at", "notifications", ["service_id", "created_at", "id"], unique=False
    )
    op.create_index(
        "ix_notifications_under_way",
        "notifications",
        ["notification_status", "notification_type", "created_at"],
        unique=False,
        postgresql_where=sa.text("notification_status IN ('created', 'sending', 'pending', 'pending-virus-check')"),
    )
    # ### end Alembic commands ###


def _providers() -> None:
    op.create_table(
        "sandbox_outbox",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("reply_to", sa.Text(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column(
            "headers", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'::jsonb"), nullable=False
        ),
        sa.Column("created_at", moment, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("receipt_due_at", moment, nullable=False),
        sa.Column("receipt_sent_at", moment, nullable=True),
        sa.CheckConstraint(one_of("channel", "sms", "email"), name=op.f("ck_sandbox_outbox_channel")),
        sa.CheckConstraint(
            one_of("outcome", "delivered", "temporary-failure", "permanent-failure"),
            name=op.f("ck_sandbox_outbox_outcome"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_outbox")),
    )
    op.create_index("ix_sandbox_outbox_notification_id", "sandbox_outbox", ["notification_id"], unique=False)
    op.create_index("ix_sandbox_outbox_recipient", "sandbox_outbox", ["recipient", "id"], unique=False)
    op.create_index(
        "ix_sandbox_outbox_unreported",
        "sandbox_outbox",
        ["receipt_due_at"],
        unique=False,
        postgresql_where=sa.text("receipt_sent_at IS NULL"),
    )
    op.create_table(
        "provider_details",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("notification_type", notification_type, nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("supports_international", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["created_by_id"], ["users.id"], name=op.f("fk_provider_details_created_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_details")),
    )
    op.create_table(
        "provider_details_history",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("identifier", sa.String(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("notification_type", notification_type, nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("updated_at", moment, nullable=True),
        sa.Column("created_by_id", sa.Uuid(), nullable=True),
        sa.Column("supports_international", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["users.id"], name=op.f("fk_provider_details_history_created_by_id")
        ),
        sa.PrimaryKeyConstraint("id", "version", name=op.f("pk_provider_details_history")),
    )
    # ### end Alembic commands ###
