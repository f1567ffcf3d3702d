"""Local days, and the services that facts of a day are made for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import select

from notify.infra.database import Database
from notify.infra.times import local_midnight
from notify.services.models import Service

SERVICES_AT_A_TIME: Final = 500
"""Services whose facts one statement makes: enough to pay for a statement, few enough to lose when it is stopped."""


class Bounds(NamedTuple):
    """The moments (UTC) at which a local day begins and the next one does: 23 to 25 hours apart."""

    since: datetime
    until: datetime


def bounds_of(day: date) -> Bounds:
    """The bounds of a local day."""
    return Bounds(local_midnight(day), local_midnight(day + timedelta(days=1)))


def days_between(start: date, end: date) -> Iterator[date]:
    """The days from one to another, both included."""
    while start <= end:
        yield start
        start += timedelta(days=1)


def chunks_of_services(
    database: Database, service_id: UUID | None = None, *, size: int = SERVICES_AT_A_TIME
) -> Iterator[list[UUID]]:
    """The ids of all services, so many at a time; of one alone where it is given."""
    if service_id is not None:
        yield [service_id]
        return
    after = UUID(int=0)
    while True:
        with database.reading() as session:
            query = select(Service.id).where(Service.id > after).order_by(Service.id).limit(size)
            ids = list(session.scalars(query))
        if ids:
            yield ids
        if len(ids) < size:
            return
        after = ids[-1]
