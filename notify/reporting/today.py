"""Counts of today from the messages themselves, because facts only cover past days.

Counting uses a covering index, and takes a millisecond for some thousand messages. A service's dashboard asks every two
seconds, so counts of very many messages are cached for some seconds (docs/decisions/0034).
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
"""Counts are cached for one second per this many messages; counts of fewer messages are not cached."""
KEPT_SECONDS: Final = 60
"""Most seconds that counts are cached."""


class SentToday(NamedTuple):
    """The number of a template's messages in a status."""

    template_id: UUID
    notification_type: str
    status: str
    number: int


class ServiceToday(NamedTuple):
    """The number of a service's messages by type of key, type of message and status."""

    service_id: UUID
    notification_type: str
    key_type: str
    status: str
    number: int


def sent_today(session: Session, cache: Cache, service_id: UUID, *, now: datetime) -> list[SentToday]:
    """What a service has sent on the local day of `now` with real keys, by template, type and status. Exact for fewer
    than `COUNTED_A_SECOND` messages; above, up to some seconds old.
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
    """Counts of each service, in a lateral join so that each uses the index."""
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
