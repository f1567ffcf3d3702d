"""What was sent today: facts are of past days, so today is counted from the messages themselves.

Counting goes by an index that has all it needs, and takes a millisecond for some thousand messages. The dashboard of a
service asks every two seconds: where there are very many messages, what was counted is kept for some seconds
(docs/decisions/0034).
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, true
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import LateralFromClause

from notify.infra.cache import Cache
from notify.infra.times import local_days_ago
from notify.messages.models import Notification
from notify.services.models import Service
from notify.vocabulary import KEY_TYPES

REAL_KEY_TYPES: Final = ("normal", "team")
COUNTED_A_SECOND: Final = 5_000
"""Counts of fewer messages are not kept; those of more are, for a second for each so many."""
KEPT_SECONDS: Final = 60
"""The longest that counts are kept."""


class SentToday(NamedTuple):
    """So many messages from a template have a status."""

    template_id: UUID
    notification_type: str
    status: str
    number: int


class ServiceToday(NamedTuple):
    """So many messages of a service, made with a type of key, have a type and a status."""

    service_id: UUID
    notification_type: str
    key_type: str
    status: str
    number: int


def sent_today(session: Session, cache: Cache, service_id: UUID, *, now: datetime) -> list[SentToday]:
    """What a service has sent on the local day of `now` with real keys, by template, type and status. Exact where that
    is fewer than `COUNTED_A_SECOND` messages; beyond, up to some seconds old.
    """
    since = local_days_ago(now, 0)
    key = f"sent-today-{service_id}-{since:%Y-%m-%dT%H}"
    if (kept := cache.get(key)) is not None:
        return [SentToday(UUID(template), kind, status, number) for template, kind, status, number in json.loads(kept)]
    columns = Notification.template_id, Notification.notification_type, Notification.notification_status
    query = (
        select(*columns, func.count())
        .where(
            Notification.service_id == service_id,
            Notification.created_at >= since,
            Notification.key_type.in_(REAL_KEY_TYPES),
        )
        .group_by(*columns)
    )
    groups = [SentToday._make(row) for row in session.execute(query)]
    seconds = min(sum(group.number for group in groups) // COUNTED_A_SECOND, KEPT_SECONDS)
    if seconds:
        cache.set(key, json.dumps([(str(group.template_id), *group[1:]) for group in groups]), seconds=seconds)
    return groups


def sent_today_by_service(
    session: Session, *, now: datetime, key_types: Collection[str] = KEY_TYPES
) -> list[ServiceToday]:
    """What every service has sent on the local day of `now`, by type of message, type of key and status."""
    of_service = _of_service(local_days_ago(now, 0), key_types)
    query = select(Service.id, *of_service.c).select_from(Service).join(of_service, true())
    return [ServiceToday._make(row) for row in session.execute(query)]


def _of_service(since: datetime, key_types: Collection[str]) -> LateralFromClause:
    """Counts of one service after the other: each goes to its place in the index."""
    columns: tuple[Any, ...] = (Notification.notification_type, Notification.key_type, Notification.notification_status)
    return (
        select(*columns, func.count().label("number"))
        .where(
            Notification.service_id == Service.id,
            Notification.created_at >= since,
            Notification.key_type.in_(key_types),
        )
        .group_by(*columns)
        .lateral("today")
    )
