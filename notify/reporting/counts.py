"""Counts of messages by type and outcome (contract: internal-services 12). They are counted from the messages
themselves: those that are kept, and those in the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, select, union_all
from sqlalchemy.orm import Session

from notify.infra.times import local_days_ago
from notify.messages.models import Notification, NotificationHistory
from notify.vocabulary import NOTIFICATION_TYPES

USUAL_DAYS: Final = 7
"""Days before today that a service's counts go back, where the caller does not say."""

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
REAL_KEY_TYPES: Final = ("normal", "team")


class TypeCounts(NamedTuple):
    """Messages of a type: how many were asked for and not cancelled, and of those how many arrived and how many
    failed.
    """

    requested: int = 0
    delivered: int = 0
    failed: int = 0


Counts = Mapping[str, TypeCounts]
"""Counts of every type of message, by type."""


class _Group(NamedTuple):
    """So many messages of a service that have a type and a status."""

    service_id: UUID
    notification_type: str
    status: str
    number: int


def count_for_service(session: Session, service_id: UUID, *, days: int, now: datetime) -> Counts:
    """Count what a service sent with real keys today (local) and in so many days before; zeros for an unknown one."""
    groups = _groups(session, local_days_ago(now, days), None, service_id=service_id)
    return counts_of(groups)


def counts_of(groups: Iterable[_Group]) -> Counts:
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


def count_by_service(
    session: Session, since: datetime, until: datetime | None, *, with_test_keys: bool
) -> Mapping[UUID, list[_Group]]:
    """Count the messages of every service that were made in a period, by service."""
    found: dict[UUID, list[_Group]] = {}
    for group in _groups(session, since, until, with_test_keys=with_test_keys):
        found.setdefault(group.service_id, []).append(group)
    return found


def _groups(
    session: Session,
    since: datetime,
    until: datetime | None,
    *,
    service_id: UUID | None = None,
    with_test_keys: bool = False,
) -> list[_Group]:
    def of(table: type[Notification] | type[NotificationHistory]) -> Select[*tuple[Any, ...]]:
        columns = table.service_id, table.notification_type, table.notification_status
        query = select(*columns, func.count()).where(table.created_at >= since).group_by(*columns)
        if until is not None:
            query = query.where(table.created_at < until)
        if service_id is not None:
            query = query.where(table.service_id == service_id)
        if not with_test_keys:
            query = query.where(table.key_type.in_(REAL_KEY_TYPES))
        return query

    rows = session.execute(union_all(of(Notification), of(NotificationHistory)))
    return [_Group(*row) for row in rows]
