"""For how many days a service's messages are kept, where it is not the usual 7 (contract: internal-services 9.1)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from notify.infra.errors import NotFoundProblemError, ProblemError
from notify.services.models import DataRetention, Service


class DuplicateRetentionError(ProblemError):
    """The service has a retention for this type already, or there is no such service."""

    def __init__(self, notification_type: str) -> None:
        super().__init__(f"Service already has data retention for {notification_type} notification type")


class RetentionNotFoundError(NotFoundProblemError):
    """The service has no retention by this id."""

    def __init__(self, service_id: UUID, retention_id: UUID) -> None:
        super().__init__(f"The service data retention for id: {retention_id} was not found for service: {service_id}")


class Retention(NamedTuple):
    """A retention with the name of its service."""

    id: UUID
    service_id: UUID
    service_name: str
    notification_type: str
    days_of_retention: int
    created_at: datetime
    updated_at: datetime | None


def list_retentions(session: Session, service_id: UUID) -> list[Retention]:
    """A service's retentions, in the order email, sms, letter."""
    rows = session.execute(_retentions(service_id).order_by(DataRetention.notification_type))
    return [Retention(*row) for row in rows]


def get_retention(session: Session, service_id: UUID, retention_id: UUID) -> Retention | None:
    """One by its id; None where the service has none by it."""
    row = session.execute(_retentions(service_id).where(DataRetention.id == retention_id)).one_or_none()
    return None if row is None else Retention(*row)


def get_retention_of_type(session: Session, service_id: UUID, notification_type: str) -> Retention | None:
    """That for a type of message; None where there is none."""
    query = _retentions(service_id).where(DataRetention.notification_type == notification_type)
    row = session.execute(query).one_or_none()
    return None if row is None else Retention(*row)


def create_retention(session: Session, service_id: UUID, notification_type: str, days: int) -> Retention:
    """Keep messages of a type for so many days. Raises `DuplicateRetentionError`."""
    row = DataRetention(service_id=service_id, notification_type=notification_type, days_of_retention=days)
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        raise DuplicateRetentionError(notification_type) from None
    return Retention(*session.execute(_retentions(service_id).where(DataRetention.id == row.id)).one())


def change_retention(session: Session, service_id: UUID, retention_id: UUID, days: int) -> None:
    """Keep the messages for another number of days. Raises `RetentionNotFoundError`."""
    row = session.scalar(
        select(DataRetention).where(DataRetention.id == retention_id, DataRetention.service_id == service_id)
    )
    if row is None:
        raise RetentionNotFoundError(service_id, retention_id)
    row.days_of_retention = days
    session.flush()


def _retentions(service_id: UUID) -> Select[UUID, UUID, str, str, int, datetime, datetime | None]:
    return (
        select(
            DataRetention.id,
            DataRetention.service_id,
            Service.name,
            DataRetention.notification_type,
            DataRetention.days_of_retention,
            DataRetention.created_at,
            DataRetention.updated_at,
        )
        .join(Service, Service.id == DataRetention.service_id)
        .where(DataRetention.service_id == service_id)
    )
