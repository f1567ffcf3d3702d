"""Contact lists: spreadsheets that a service keeps for later jobs (contract: internal-jobs 2). Functions flush; the
caller's transaction commits.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from notify.accounts.models import User
from notify.infra.errors import NotFoundProblemError
from notify.jobs.models import ContactList, Job
from notify.jobs.retention import kept_since


class ContactListDetails(NamedTuple):
    """A contact list, and the number of its jobs. `created_by` is a user's name."""

    id: UUID
    original_file_name: str
    row_count: int
    recent_job_count: int
    has_jobs: bool
    template_type: str
    service_id: UUID
    created_by: str | None
    created_at: datetime


def _contact_lists(service_id: UUID, now: datetime) -> Select[*tuple[Any, ...]]:
    of_list = Job.contact_list_id == ContactList.id
    since = kept_since(now, ContactList.service_id, ContactList.template_type)
    recent = (
        select(func.count())
        .where(of_list, func.coalesce(Job.processing_started, Job.created_at) >= since)
        .correlate(ContactList)
        .scalar_subquery()
    )
    return (
        select(
            ContactList.id,
            ContactList.original_file_name,
            ContactList.row_count,
            recent,
            select(Job.id).where(of_list).correlate(ContactList).exists(),
            ContactList.template_type,
            ContactList.service_id,
            User.name,
            ContactList.created_at,
        )
        .outerjoin(User, User.id == ContactList.created_by_id)
        .where(ContactList.service_id == service_id, ~ContactList.archived)
    )


def list_contact_lists(session: Session, service_id: UUID, now: datetime) -> list[ContactListDetails]:
    """A service's contact lists, newest first; an unknown service has none."""
    query = _contact_lists(service_id, now).order_by(ContactList.created_at.desc(), ContactList.id)
    return [ContactListDetails(*row) for row in session.execute(query)]


def get_contact_list(session: Session, service_id: UUID, contact_list_id: UUID, now: datetime) -> ContactListDetails:
    """A service's contact list. Raises `NotFoundProblemError`, also for an archived one."""
    row = session.execute(_contact_lists(service_id, now).where(ContactList.id == contact_list_id)).one_or_none()
    if row is None:
        raise NotFoundProblemError
    return ContactListDetails(*row)


def create_contact_list(
    session: Session,
    service_id: UUID,
    *,
    contact_list_id: UUID,
    original_file_name: str,
    row_count: int,
    template_type: str,
    created_by_id: UUID,
    now: datetime,
) -> None:
    """Keep an uploaded file as a contact list, under the id of the upload."""
    session.add(
        ContactList(
            id=contact_list_id,
            service_id=service_id,
            original_file_name=original_file_name,
            row_count=row_count,
            template_type=template_type,
            created_by_id=created_by_id,
            created_at=now,
        )
    )
    session.flush()


def archive_contact_list(session: Session, service_id: UUID, contact_list_id: UUID, now: datetime) -> None:
    """Archive a contact list; its jobs stay. Delete its file after the commit. Raises `NotFoundProblemError`."""
    row = session.get(ContactList, contact_list_id, with_for_update=True)
    if row is None or row.service_id != service_id or row.archived:
        raise NotFoundProblemError
    row.archived, row.updated_at = True, now
    session.flush()
