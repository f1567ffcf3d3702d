"""Contact lists: spreadsheets that a service keeps for later jobs (contract: internal-jobs 2)."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.database import after_commit
from notify.infra.times import utc_now
from notify.internal.fields import Integer, Moment, Uuid
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body
from notify.jobs import contact_lists
from notify.jobs.files import JobFiles

routes = Routes("contact_lists", "/service/<uuid:service_id>/contact-list")


class NewContactList(Body, extra="forbid"):
    """An uploaded file to keep as a contact list."""

    id: Uuid
    original_file_name: str
    row_count: Integer
    template_type: Literal["email", "sms"]
    created_by: Uuid


class ContactListAnswer(Answer):
    """A contact list. `created_by` is a user's name."""

    id: UUID
    original_file_name: str
    row_count: int
    recent_job_count: int
    has_jobs: bool
    template_type: str
    service_id: UUID
    created_by: str | None
    created_at: Moment


@routes.get("")
def list_contact_lists(session: Session, service_id: UUID) -> list[ContactListAnswer]:
    """List a service's contact lists."""
    return ContactListAnswer.of_each(contact_lists.list_contact_lists(session, service_id, utc_now()))


@routes.get("/<uuid:contact_list_id>")
def get_contact_list(session: Session, service_id: UUID, contact_list_id: UUID) -> ContactListAnswer:
    """Get a contact list."""
    return ContactListAnswer.of(contact_lists.get_contact_list(session, service_id, contact_list_id, utc_now()))


@routes.post("", status=201)
def create_contact_list(session: Session, service_id: UUID, body: NewContactList) -> ContactListAnswer:
    """Keep an uploaded file as a contact list."""
    now = utc_now()
    contact_lists.create_contact_list(
        session,
        service_id,
        contact_list_id=body.id,
        original_file_name=body.original_file_name,
        row_count=body.row_count,
        template_type=body.template_type,
        created_by_id=body.created_by,
        now=now,
    )
    return ContactListAnswer.of(contact_lists.get_contact_list(session, service_id, body.id, now))


@routes.delete("/<uuid:contact_list_id>")
def archive_contact_list(session: Session, container: Container, service_id: UUID, contact_list_id: UUID) -> None:
    """Archive a contact list and delete its file."""
    contact_lists.archive_contact_list(session, service_id, contact_list_id, utc_now())
    files = container.get(JobFiles)
    after_commit(session, lambda: files.delete_contact_list(service_id, contact_list_id))
