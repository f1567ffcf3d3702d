"""Tables of templates (contract: data-model 2.4; history tables 2.7)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.columns import enum
from notify.infra.database import Base
from notify.infra.ids import new_public_id
from notify.infra.times import utc_now
from notify.infra.versions import Versioned
from notify.vocabulary import LETTER_LANGUAGES, TEMPLATE_TYPES

# `broadcast` is the type of emergency alerts, which is not a type of message. Lists are sorted in this order.
template_type_enum = enum("template_type", (*TEMPLATE_TYPES, "broadcast"))
letter_language_options_enum = enum("letter_language_options", LETTER_LANGUAGES)


class _TemplateColumns(Versioned):
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    name: Mapped[str] = mapped_column(String(255))
    template_type: Mapped[str] = mapped_column(template_type_enum)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime | None]
    content: Mapped[str] = mapped_column(Text)
    service_id: Mapped[UUID]
    subject: Mapped[str | None] = mapped_column(Text)
    created_by_id: Mapped[UUID]
    archived: Mapped[bool] = mapped_column(default=False, server_default=false())
    service_letter_contact_id: Mapped[UUID | None]
    hidden: Mapped[bool] = mapped_column(default=False, server_default=false())
    postage: Mapped[str | None]
    letter_welsh_content: Mapped[str | None] = mapped_column(Text)
    letter_welsh_subject: Mapped[str | None] = mapped_column(Text)
    letter_languages: Mapped[str | None] = mapped_column(letter_language_options_enum)
    has_unsubscribe_link: Mapped[bool] = mapped_column(default=False, server_default=false())
    letter_attachment_id: Mapped[UUID | None]


def _rules(table: str) -> tuple[Any, ...]:
    return (
        CheckConstraint("(letter_languages IS NOT NULL) = (template_type = 'letter')", name="letter_languages"),
        CheckConstraint("NOT has_unsubscribe_link OR template_type = 'email'", name="has_unsubscribe_link"),
        CheckConstraint("letter_attachment_id IS NULL OR template_type = 'letter'", name="letter_attachment"),
        ForeignKeyConstraint(["service_id"], ["services.id"]),
        ForeignKeyConstraint(["created_by_id"], ["users.id"]),
        ForeignKeyConstraint(["service_letter_contact_id"], ["service_letter_contacts.id"]),
        ForeignKeyConstraint(["letter_attachment_id"], ["letter_attachment.id"]),
        Index(f"ix_{table}_service_id", "service_id"),
    )


class TemplateHistory(_TemplateColumns, Base):
    """Every version of a template. Messages point here, so rows are never deleted."""

    __tablename__ = "templates_history"
    __table_args__ = _rules("templates_history")

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)


class Template(_TemplateColumns, Base):
    """A text with placeholders from which messages are created. `hidden`: the service's "Pre-compiled PDF" template."""

    __tablename__ = "templates"
    __history__ = TemplateHistory
    __table_args__ = (
        *_rules("templates"),
        Index(
            "ix_templates_letter_attachment_id",
            "letter_attachment_id",
            postgresql_where=text("letter_attachment_id IS NOT NULL"),
        ),
    )


class TemplateRedacted(Base):
    """Whether the personalisation of a template's messages is hidden once they are sent. The row may be missing."""

    __tablename__ = "template_redacted"

    template_id: Mapped[UUID] = mapped_column(ForeignKey("templates.id"), primary_key=True)
    redact_personalisation: Mapped[bool] = mapped_column(default=False, server_default=false())
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_by_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))


class TemplateFolder(Base):
    """A folder of templates and subfolders."""

    __tablename__ = "template_folder"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    name: Mapped[str]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("template_folder.id"), index=True)

    # target of a foreign key: permissions on a folder must be for members of its service
    __table_args__ = (UniqueConstraint("id", "service_id", name="ix_id_service_id"),)


class TemplateFolderMap(Base):
    """The folder that a template is in. Templates at the top level have no row."""

    __tablename__ = "template_folder_map"

    template_id: Mapped[UUID] = mapped_column(ForeignKey("templates.id"), primary_key=True)
    template_folder_id: Mapped[UUID] = mapped_column(ForeignKey("template_folder.id"), index=True)


class LetterAttachment(Base):
    """Pages of a PDF that are printed after each letter of a template. The PDF is in the object store."""

    __tablename__ = "letter_attachment"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    created_by_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    archived_at: Mapped[datetime | None]
    archived_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    original_filename: Mapped[str]
    page_count: Mapped[int] = mapped_column(SmallInteger)


class _EmailFileColumns(Versioned):
    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    filename: Mapped[str] = mapped_column(Text)
    link_text: Mapped[str | None] = mapped_column(Text)
    retention_period: Mapped[int] = mapped_column(default=1)
    validate_users_email: Mapped[bool] = mapped_column(default=True, server_default=true())
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime | None]
    archived_at: Mapped[datetime | None]
    template_id: Mapped[UUID]
    template_version: Mapped[int]
    created_by_id: Mapped[UUID]
    archived_by_id: Mapped[UUID | None]
    pending: Mapped[bool] = mapped_column(default=False, server_default=false())


def _file_rules(table: str) -> tuple[Any, ...]:
    return (
        ForeignKeyConstraint(["template_id"], ["templates.id"]),
        ForeignKeyConstraint(["created_by_id"], ["users.id"]),
        ForeignKeyConstraint(["archived_by_id"], ["users.id"]),
        Index(f"ix_{table}_template_id", "template_id"),
    )


class EmailFileHistory(_EmailFileColumns, Base):
    """Every version of a file of an email template, with the version of the template that it came with."""

    __tablename__ = "template_email_files_history"
    __table_args__ = _file_rules("template_email_files_history")

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)


class EmailFile(_EmailFileColumns, Base):
    """A file that emails of a template link to. `retention_period` is in weeks. `pending` until its editor has chosen
    how it is sent. The content is in the object store, as `<service>/<id>`.
    """

    __tablename__ = "template_email_files"
    __history__ = EmailFileHistory
    __table_args__ = (
        *_file_rules("template_email_files"),
        Index(
            "ix_template_email_files_pending", "created_at", postgresql_where=text("pending AND archived_at IS NULL")
        ),
        Index("ix_template_email_files_archived_at", "archived_at", postgresql_where=text("archived_at IS NOT NULL")),
    )
