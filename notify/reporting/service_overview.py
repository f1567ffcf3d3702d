"""Ids of a service's objects, and services with their counts (contract: internal-services 1.1 and 2.1)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.infra.times import local_date
from notify.messages.models import Complaint
from notify.reporting.counts import Counts, Group, counts_of, facts_by_service, today_by_service
from notify.services.models import DataRetention, LetterContact, Service
from notify.unsubscribes.models import UnsubscribeRequest, UnsubscribeRequestReport


class Belongings(NamedTuple):
    """Ids of a service's objects, oldest first. `retentions` is its number of data retentions."""

    complaints: list[UUID]
    letter_contacts: list[UUID]
    unsubscribe_requests: list[UUID]
    unsubscribe_request_reports: list[UUID]
    retentions: int


class CountedService(NamedTuple):
    """A service with its counts. `notification_type` is one of the types that it sent, or None."""

    id: UUID
    name: str
    restricted: bool
    active: bool
    created_at: datetime
    notification_type: str | None
    statistics: Counts


def belongings(session: Session, service_id: UUID) -> Belongings:
    """The objects of a service, including archived contact blocks; empty for an unknown one."""

    def ids(table: type[Complaint | LetterContact | UnsubscribeRequest | UnsubscribeRequestReport]) -> list[UUID]:
        query = select(table.id).where(table.service_id == service_id).order_by(table.created_at, table.id)
        return list(session.scalars(query))

    retentions = select(func.count()).select_from(DataRetention).where(DataRetention.service_id == service_id)
    return Belongings(
        ids(Complaint),
        ids(LetterContact),
        ids(UnsubscribeRequest),
        ids(UnsubscribeRequestReport),
        session.scalar(retentions) or 0,
    )


def list_counted(
    session: Session, start: date, end: date, *, now: datetime, only_active: bool, with_test_keys: bool
) -> list[CountedService]:
    """Services with their counts in a period of days, both ends included.

    For today only, it has every service (or only the active ones), by id. For a longer period until today, it has every
    service, by name; for an earlier period those that sent something, by name.
    """
    today = now.date()
    groups: dict[UUID, list[Group]] = {}
    if start != today:
        past = min(end, local_date(now) - timedelta(days=1))
        groups.update(facts_by_service(session, start, past, with_test_keys=with_test_keys))
    if start <= today <= end:
        for service_id, found in today_by_service(session, now=now, with_test_keys=with_test_keys).items():
            groups[service_id] = groups.get(service_id, []) + found
    query = select(Service.id, Service.name, Service.restricted, Service.active, Service.created_at)
    if start == today:
        query = query.order_by(Service.id)
        if only_active:
            query = query.where(Service.active)
    else:
        query = query.order_by(Service.name, Service.id)
    services = session.execute(query)
    nothing = counts_of(())
    return [
        CountedService(
            *service,
            min((group.notification_type for group in groups.get(service.id, ())), default=None),
            counts_of(groups[service.id]) if service.id in groups else nothing,
        )
        for service in services
        if end >= today or service.id in groups
    ]
