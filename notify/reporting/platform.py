"""Figures of all services together (contract: internal-jobs-billing-platform 7.1 and 7.4)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.infra.cache import Cache
from notify.infra.times import local_date, utc_now
from notify.organisations.models import Organisation
from notify.reporting.models import ProcessingTimeFact, StatusFact
from notify.reporting.today import sent_today_by_service
from notify.services.models import Service
from notify.vocabulary import NOTIFICATION_TYPES

FAILURES: Final = ("permanent-failure", "technical-failure", "temporary-failure", "virus-scan-failed")
SETTLED_DAYS: Final = 14
"""Facts older than this many days no longer change, unless they are rebuilt: their sum is cached for a day."""
KEPT_SECONDS: Final = 86_400


@dataclass(slots=True)
class TypeTotals:
    """Counts of a type: messages of test keys, all others, and the failed ones of the others by status."""

    test_key: int = 0
    total: int = 0
    failures: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FAILURES, 0))

    def add(self, key_type: str, status: str, number: int) -> None:
        """Add a number of messages."""
        if key_type == "test":
            self.test_key += number
            return
        self.total += number
        if status in self.failures:
            self.failures[status] += number


class DayOfTypes(NamedTuple):
    """Messages of a day by type."""

    date: date
    emails: int
    sms: int
    letters: int


class ProcessingDay(NamedTuple):
    """The percentage of a day's messages handed to a provider within ten seconds."""

    date: date
    percentage_under_10_seconds: float


class LiveServiceName(NamedTuple):
    """A live service and its organisation."""

    service_id: UUID
    service_name: str
    organisation_id: UUID | None
    organisation_name: str | None


def platform_totals(session: Session, start: date, end: date, *, now: datetime) -> Mapping[str, TypeTotals]:
    """What all services sent in a period of days, both ends included, by type of message."""
    totals = {kind: TypeTotals() for kind in NOTIFICATION_TYPES}
    columns = StatusFact.notification_type, StatusFact.key_type, StatusFact.notification_status
    facts = (
        select(*columns, func.sum(StatusFact.notification_count))
        .where(StatusFact.bst_date.between(start, end), StatusFact.bst_date < local_date(now))
        .group_by(*columns)
    )
    for kind, key_type, status, number in session.execute(facts):
        totals[kind].add(key_type, status, int(number))
    if start <= now.date() <= end:
        for row in sent_today_by_service(session, now=now):
            totals[row.notification_type].add(row.key_type, row.status, row.number)
    return totals


def all_time_totals(session: Session, cache: Cache, *, now: datetime) -> Mapping[str, int]:
    """What all services ever sent with real keys, by type, from facts. The sum of old facts is cached for a day."""
    settled = local_date(now) - timedelta(days=SETTLED_DAYS)
    key = _totals_key(settled)
    kept = cache.get(key)
    totals: Counter[str] = Counter()
    if kept is not None:
        totals.update(json.loads(kept))
    else:
        totals.update(_totals(session, date.min, settled))
        cache.set(key, json.dumps(totals), seconds=KEPT_SECONDS)
    totals.update(_totals(session, settled, date.max))
    return {kind: totals[kind] for kind in NOTIFICATION_TYPES}


def forget_all_time_totals(cache: Cache, *, now: datetime | None = None) -> None:
    """Clear the cached sum of old facts, because some of them have changed."""
    cache.delete(_totals_key(local_date(now or utc_now()) - timedelta(days=SETTLED_DAYS)))


def _totals_key(settled: date) -> str:
    return f"facts-sent-before-{settled}"


def _totals(session: Session, first: date, before: date) -> dict[str, int]:
    query = (
        select(StatusFact.notification_type, func.sum(StatusFact.notification_count))
        .where(StatusFact.bst_date >= first, StatusFact.bst_date < before, StatusFact.key_type != "test")
        .group_by(StatusFact.notification_type)
    )
    return {kind: int(number) for kind, number in session.execute(query)}


def days_of_types(session: Session, start: date, end: date) -> list[DayOfTypes]:
    """What all services sent with real keys, by day and type; days without facts are left out."""
    kinds = ("email", "sms", "letter")
    sums = (
        func.coalesce(func.sum(StatusFact.notification_count).filter(StatusFact.notification_type == kind), 0)
        for kind in kinds
    )
    query = (
        select(StatusFact.bst_date, *sums)
        .where(StatusFact.bst_date.between(start, end), StatusFact.key_type != "test")
        .group_by(StatusFact.bst_date)
        .order_by(StatusFact.bst_date)
    )
    return [DayOfTypes(day, *(int(number) for number in numbers)) for day, *numbers in session.execute(query)]


def processing_days(session: Session, start: date, end: date) -> list[ProcessingDay]:
    """How quickly messages were handed to providers, by day; 100 percent for a day without messages."""
    query = (
        select(
            ProcessingTimeFact.bst_date, ProcessingTimeFact.messages_total, ProcessingTimeFact.messages_within_10_secs
        )
        .where(ProcessingTimeFact.bst_date.between(start, end))
        .order_by(ProcessingTimeFact.bst_date)
    )
    return [ProcessingDay(day, quick / total * 100 if total else 100.0) for day, total, quick in session.execute(query)]


def live_services(session: Session) -> list[LiveServiceName]:
    """Live services by the names of organisation (those without one last) and service."""
    query = (
        select(Service.id, Service.name, Organisation.id, Organisation.name)
        .outerjoin(Organisation, Organisation.id == Service.organisation_id)
        .where(Service.active, ~Service.restricted, Service.count_as_live)
        .order_by(Organisation.name.asc().nulls_last(), Service.name, Service.id)
    )
    return [LiveServiceName._make(row) for row in session.execute(query)]
