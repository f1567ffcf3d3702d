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
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from notify.infra.columns import enum
from notify.infra.database import Base
from notify.infra.ids import new_public_id
from notify.infra.times import utc_now
from notify.infra.versions import Versioned
from notify.vocabulary import LETTER_LANGUAGES, TEMPLATE_TYPES

# `broadcast` is a type of older installations' rows; nothing makes it now. The order is that of lists.
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


def _rules(table: str) -> tuple[Any, ...]:
    return (
        CheckConstraint("(letter_languages IS NOT NULL) = (template_type = 'letter')", name="letter_languages"),
        CheckConstraint("NOT has_unsubscribe_link OR template_type = 'email'", name="has_unsubscribe_link"),
        ForeignKeyConstraint(["service_id"], ["services.id"]),
        ForeignKeyConstraint(["created_by_id"], ["users.id"]),
        ForeignKeyConstraint(["service_letter_contact_id"], ["service_letter_contacts.id"]),
        Index(f"ix_{table}_service_id", "service_id"),
    )


class TemplateHistory(_TemplateColumns, Base):
    """Every version of a template. Messages point here, so rows are never deleted."""

    __tablename__ = "templates_history"
    __table_args__ = _rules("templates_history")

    id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)


class Template(_TemplateColumns, Base):
    """A text with placeholders that messages are made from. `hidden` is the service's "Pre-compiled PDF" template."""

    __tablename__ = "templates"
    __history__ = TemplateHistory
    __table_args__ = _rules("templates")


class TemplateRedacted(Base):
    """Whether the values put into a template's placeholders are hidden once a message is sent. May be missing."""

    __tablename__ = "template_redacted"

    template_id: Mapped[UUID] = mapped_column(ForeignKey("templates.id"), primary_key=True)
    redact_personalisation: Mapped[bool] = mapped_column(default=False, server_default=false())
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_by_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))


class TemplateFolder(Base):
    """A folder of templates and of folders."""

    __tablename__ = "template_folder"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_public_id)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("services.id"), index=True)
    name: Mapped[str]
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("template_folder.id"))

    # the target of a foreign key that ties the permissions on a folder to its service
    __table_args__ = (UniqueConstraint("id", "service_id", name="ix_id_service_id"),)


class TemplateFolderMap(Base):
    """The folder a template is in; none at the top."""

    __tablename__ = "template_folder_map"

    template_id: Mapped[UUID] = mapped_column(ForeignKey("templates.id"), primary_key=True)
    template_folder_id: Mapped[UUID] = mapped_column(ForeignKey("template_folder.id"), index=True)
