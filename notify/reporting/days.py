"""Local days, and the services that facts of a day are made for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, select, true

from notify.billing.models import BillingFact
from notify.infra.database import Database
from notify.infra.errors import ProblemError
from notify.infra.times import local_midnight
from notify.messages.models import Notification, NotificationHistory
from notify.reporting.models import StatusFact
from notify.services.models import Service

SERVICES_AT_A_TIME: Final = 500
"""Services per statement: enough to make it efficient, few enough to lose little when it is stopped."""


class MessagesGoneError(ProblemError):
    """The messages of a day are no longer stored, so its facts cannot be rebuilt."""

    def __init__(self, day: date) -> None:
        super().__init__(f"the messages of {day} are no longer kept: its facts stay as they are")


class Bounds(NamedTuple):
    """The start of a local day and of the next one (UTC), 23 to 25 hours apart."""

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
    """The ids of all services in chunks of `size`; or only the given one."""
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


def check_messages_are_kept(database: Database, day: date, fact: type[BillingFact | StatusFact]) -> None:
    """Raise `MessagesGoneError` if a day has facts but no messages, because they were moved to the deep archive.
    Rebuilding the facts would lose them.
    """
    since, until = bounds_of(day)

    def of_day(table: type[Notification | NotificationHistory]) -> tuple[ColumnElement[bool], ...]:
        return table.created_at >= since, table.created_at < until

    kept = select(1).where(Notification.service_id == Service.id, *of_day(Notification)).limit(1).lateral()
    with database.reading() as session:
        if (
            session.scalar(select(1).where(fact.bst_date == day).limit(1))
            and not session.scalar(select(1).where(*of_day(NotificationHistory)).limit(1))
            and not session.scalar(select(1).select_from(Service).join(kept, true()).limit(1))
        ):
            raise MessagesGoneError(day)
