"""Complaints: recipients who marked an email as spam."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.infra.paging import Page, page_of
from notify.infra.times import local_midnight
from notify.messages.models import Complaint
from notify.services.models import Service


@dataclass(frozen=True, slots=True)
class StoredComplaint:
    """A stored complaint, with the fields of its callback (contract: public-api 14.4). `recipient` is in no table."""

    id: UUID
    notification_id: UUID
    service_id: UUID
    client_reference: str | None
    recipient: str | None
    complaint_date: datetime | None


class ComplaintOfService(NamedTuple):
    """A complaint with the name of the service whose email it is about."""

    id: UUID
    notification_id: UUID
    service_id: UUID
    service_name: str
    ses_feedback_id: str | None
    complaint_type: str | None
    complaint_date: datetime | None
    created_at: datetime


def page_of_complaints(session: Session, number: int) -> Page[ComplaintOfService]:
    """A page of all complaints, newest first. Raises `PageNotFoundError`."""
    query = (
        select(
            Complaint.id,
            Complaint.notification_id,
            Complaint.service_id,
            Service.name,
            Complaint.ses_feedback_id,
            Complaint.complaint_type,
            Complaint.complaint_date,
            Complaint.created_at,
        )
        .join(Service, Service.id == Complaint.service_id)
        .order_by(Complaint.created_at.desc(), Complaint.id.desc())
    )
    return page_of(session, query, number).of(ComplaintOfService._make)


def count_complaints(session: Session, first: date, last: date) -> int:
    """The number of complaints in a period of local days, both ends included."""
    query = select(func.count()).select_from(Complaint)
    period = (
        Complaint.created_at >= local_midnight(first),
        Complaint.created_at < local_midnight(last + timedelta(days=1)),
    )
    return session.scalar(query.where(*period)) or 0
