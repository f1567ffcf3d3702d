"""Counts of messages by type and outcome (contract: internal-services 12): past days come from facts, today from
messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.infra.cache import Cache
from notify.infra.times import MOST_DAYS, local_date
from notify.reporting.models import StatusFact
from notify.reporting.today import REAL_KEY_TYPES, sent_today, sent_today_by_service
from notify.vocabulary import KEY_TYPES, NOTIFICATION_TYPES

USUAL_DAYS: Final = 7
"""Default number of days before today in a service's counts."""

_DELIVERED: Final = frozenset({"delivered", "sent"})
_FAILED: Final = frozenset(
    {
        "failed",
        "technical-failure",
        "temporary-failure",
        "permanent-failure",
        "validation-failed",
        "virus-scan-failed",
    }
)


class TypeCounts(NamedTuple):
    """Counts of a type: messages requested and not cancelled, and of those the delivered and the failed ones."""

    requested: int = 0
    delivered: int = 0
    failed: int = 0


Counts = Mapping[str, TypeCounts]
"""Counts of every type of message, by type."""


class Group(NamedTuple):
    """The number of messages with a type and a status."""

    notification_type: str
    status: str
    number: int


def count_for_service(session: Session, cache: Cache, service_id: UUID, *, days: int, now: datetime) -> Counts:
    """Count what a service sent with real keys today (local) and in the `days` before; zeros for an unknown one."""
    today = local_date(now)
    groups = [
        Group(group.notification_type, group.status, group.number)
        for group in sent_today(session, cache, service_id, now=now)
    ]
    if days > 0:
        first = today - timedelta(days=min(days, MOST_DAYS))
        columns = StatusFact.notification_type, StatusFact.notification_status
        facts = (
            select(*columns, func.sum(StatusFact.notification_count))
            .where(
                StatusFact.service_id == service_id,
                StatusFact.bst_date >= first,
                StatusFact.bst_date < today,
                StatusFact.key_type.in_(REAL_KEY_TYPES),
            )
            .group_by(*columns)
        )
        groups += [Group(kind, status, int(number)) for kind, status, number in session.execute(facts)]
    return counts_of(groups)


def counts_of(groups: Iterable[Group]) -> Counts:
    """The counts of groups."""
    found = dict.fromkeys(NOTIFICATION_TYPES, TypeCounts())
    for group in groups:
        if group.status == "cancelled":
            continue
        counts = found[group.notification_type]
        found[group.notification_type] = TypeCounts(
            counts.requested + group.number,
            counts.delivered + (group.number if group.status in _DELIVERED else 0),
            counts.failed + (group.number if group.status in _FAILED else 0),
        )
    return found


def facts_by_service(session: Session, start: date, end: date, *, with_test_keys: bool) -> Mapping[UUID, list[Group]]:
    """Count the messages of every service in a period of past days, both ends included, by service."""
    columns = StatusFact.service_id, StatusFact.notification_type, StatusFact.notification_status
    query = (
        select(*columns, func.sum(StatusFact.notification_count))
        .where(StatusFact.bst_date.between(start, end))
        .group_by(*columns)
    )
    if not with_test_keys:
        query = query.where(StatusFact.key_type.in_(REAL_KEY_TYPES))
    found: dict[UUID, list[Group]] = {}
    for service_id, kind, status, number in session.execute(query):
        found.setdefault(service_id, []).append(Group(kind, status, int(number)))
    return found


def today_by_service(session: Session, *, now: datetime, with_test_keys: bool) -> Mapping[UUID, list[Group]]:
    """Count the messages of every service of today (local), by service."""
    found: dict[UUID, list[Group]] = {}
    for row in sent_today_by_service(session, now=now, key_types=KEY_TYPES if with_test_keys else REAL_KEY_TYPES):
        found.setdefault(row.service_id, []).append(Group(row.notification_type, row.status, row.number))
    return found
