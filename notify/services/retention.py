"""Data retention: the days for which a service's messages are kept (contract: internal-services 9.1). Every function
flushes; the caller's transaction commits.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from notify.infra.errors import NotFoundProblemError
from notify.infra.times import local_days_ago
from notify.services.errors import DuplicateRetentionError, InvalidServiceError, UnknownRetentionError
from notify.services.models import DataRetention, Service
from notify.vocabulary import NOTIFICATION_TYPES

USUAL_RETENTION_DAYS: Final = 7
MOST_DAYS: Final = 36_500
"""A century. More days mean the same."""
_LARGEST: Final = 2**31 - 1


class Retention(NamedTuple):
    """A retention, with the name of its service."""

    id: UUID
    service_id: UUID
    service_name: str
    notification_type: str
    days_of_retention: int
    created_at: datetime
    updated_at: datetime | None


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


def list_retentions(session: Session, service_id: UUID) -> list[Retention]:
    """A service's retentions, ordered email, sms, letter; an unknown service has none."""
    query = _retentions(service_id).order_by(DataRetention.notification_type)
    return [Retention(*row) for row in session.execute(query)]


def get_retention(session: Session, service_id: UUID, retention_id: UUID) -> Retention | None:
    """One of a service's retentions."""
    row = session.execute(_retentions(service_id).where(DataRetention.id == retention_id)).one_or_none()
    return None if row is None else Retention(*row)


def get_retention_of_type(session: Session, service_id: UUID, notification_type: str) -> Retention | None:
    """A service's retention for a type of message. Raises `NotFoundProblemError`: there is no such type."""
    if notification_type not in NOTIFICATION_TYPES:
        raise NotFoundProblemError
    query = _retentions(service_id).where(DataRetention.notification_type == notification_type)
    row = session.execute(query).one_or_none()
    return None if row is None else Retention(*row)


def create_retention(session: Session, service_id: UUID, notification_type: str, days: int) -> Retention:
    """Set the days for which a service's messages of a type are kept.

    Raises `DuplicateRetentionError` (also for an unknown service), `InvalidServiceError` (no such type) and
    `NotFoundProblemError` (more days than the database can hold).
    """
    if notification_type not in NOTIFICATION_TYPES:
        raise InvalidServiceError("notification_type", f"Invalid notification type: {notification_type}")
    _check_days(days)
    row = DataRetention(service_id=service_id, notification_type=notification_type, days_of_retention=days)
    session.add(row)
    try:
        session.flush()
    except IntegrityError:
        raise DuplicateRetentionError(notification_type) from None
    return Retention(*session.execute(_retentions(service_id).where(DataRetention.id == row.id)).one())


def update_retention(session: Session, service_id: UUID, retention_id: UUID, days: int) -> None:
    """Change the number of days. Raises `UnknownRetentionError`, `NotFoundProblemError` (as `create_retention`)."""
    _check_days(days)
    row = session.get(DataRetention, retention_id, with_for_update=True)
    if row is None or row.service_id != service_id:
        raise UnknownRetentionError(retention_id, service_id)
    row.days_of_retention = days
    session.flush()


def set_retention(session: Session, service_id: UUID, notification_type: str, days: int) -> None:
    """Set or change the days for which a service's messages of a type are kept.

    Raises what `create_retention` raises.
    """
    present = get_retention_of_type(session, service_id, notification_type)
    if present is None:
        create_retention(session, service_id, notification_type, days)
    else:
        update_retention(session, service_id, present.id, days)


def kept_since(now: datetime, days: int) -> datetime:
    """The local midnight (aware UTC) before which objects kept for `days` may be deleted. A negative number counts as
    0, so that those of today always stay.
    """
    return local_days_ago(now, max(0, min(days, MOST_DAYS)))


def _check_days(days: int) -> None:
    if not -_LARGEST <= days <= _LARGEST:
        raise NotFoundProblemError
