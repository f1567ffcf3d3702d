"""Files that emails of a template link to (contract: internal-users-orgs-templates 8.2)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import MISSING, Field, PlainSerializer, WithJsonSchema, computed_field
from sqlalchemy.orm import Session

from notify.infra.errors import FieldProblemError, NotFoundProblemError
from notify.infra.times import utc_now
from notify.internal.fields import Moment, Uuid
from notify.internal.reading import Unread
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Data
from notify.templates import email_files
from notify.templates.rules import check_service

routes = Routes("template_email_files", "/service/<uuid:service_id>/templates/<uuid:template_id>/template_email_files")


class NewFile(Body):
    """A file to add. `retention_period` is in weeks."""

    id: Uuid | MISSING = MISSING
    filename: str | MISSING = MISSING
    link_text: str | MISSING = MISSING
    retention_period: int | MISSING = MISSING
    validate_users_email: bool | MISSING = MISSING
    created_by_id: Uuid | MISSING = MISSING
    service: Uuid | MISSING = MISSING


class ChangedFile(NewFile):
    """The fields of a file to change; `pending` False makes it live."""

    pending: bool | MISSING = MISSING


class ArchivedBy(Body):
    """The user who archives it."""

    archived_by_id: Uuid


class FileAnswer(Answer):
    """A file of an email template."""

    id: UUID
    filename: str
    link_text: str | None
    retention_period: int
    validate_users_email: bool
    created_at: Moment
    updated_at: Moment | None
    archived_at: Moment | None
    template_id: UUID
    template_version: int
    created_by_id: UUID
    archived_by: UUID | None = Field(validation_alias="archived_by_id")
    version: int
    pending: bool

    @computed_field
    def template(self) -> UUID:
        """Its template: a second name of the same field."""
        return self.template_id

    @computed_field
    def created_by(self) -> UUID:
        """The user who added it: a second name of the same field."""
        return self.created_by_id


def _spaced(moment: datetime) -> str:
    return str(moment.replace(tzinfo=None))


class ArchivedFileAnswer(FileAnswer):
    """A file as it was before it was archived, with the time and the user."""

    archived_at: Annotated[
        datetime, PlainSerializer(_spaced, return_type=str), WithJsonSchema({"type": "string"}, mode="serialization")
    ]


@routes.get("")
def list_files(session: Session, service_id: UUID, template_id: UUID) -> Data[list[FileAnswer]]:
    """List the live files of an email template."""
    return Data(data=FileAnswer.of_each(email_files.list_files(session, template_id)))


@routes.post("", status=201)
def add_file(session: Session, service_id: UUID, template_id: UUID, body: Unread[NewFile]) -> Data[FileAnswer]:
    """Add a file to an email template."""
    check_service(session, service_id)
    return Data(data=FileAnswer.of(email_files.create_file(session, service_id, template_id, _columns(body.read()))))


@routes.get("/<uuid:template_email_file_id>")
def get_file(session: Session, service_id: UUID, template_id: UUID, template_email_file_id: UUID) -> Data[FileAnswer]:
    """Get a file of an email template."""
    return Data(data=FileAnswer.of(email_files.get_file(session, template_email_file_id)))


@routes.post("/<uuid:template_email_file_id>")
def change_file(
    session: Session, service_id: UUID, template_id: UUID, template_email_file_id: UUID, body: ChangedFile
) -> Data[FileAnswer]:
    """Change a file of an email template, or make it live."""
    changes = _columns(body)
    changes.pop("id", None)
    return Data(data=FileAnswer.of(email_files.change_file(session, template_email_file_id, changes)))


@routes.post("/<uuid:template_email_file_id>/archive")
def archive_file(
    session: Session, service_id: UUID, template_id: UUID, template_email_file_id: UUID, body: ArchivedBy
) -> Data[ArchivedFileAnswer]:
    """Archive a file of an email template."""
    try:
        before = FileAnswer.of(email_files.get_file(session, template_email_file_id))
    except NotFoundProblemError as error:
        raise FieldProblemError("id", error.messages[0]) from None
    now = utc_now()
    email_files.archive_file(session, template_email_file_id, archived_by_id=body.archived_by_id, now=now)
    after = {"archived_at": now, "archived_by_id": body.archived_by_id}
    return Data(data=ArchivedFileAnswer.of(vars(before) | after))


def _columns(body: NewFile) -> dict[str, Any]:
    given = body.given()
    given.pop("service", None)
    return given
