"""How much templates are used (contract: internal-users-orgs-templates 7): past days from facts, today from messages
themselves. Those sent with a test key do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import String, cast, func, select, union_all
from sqlalchemy.orm import Session

from notify.infra.errors import NotFoundProblemError
from notify.infra.times import local_date, local_days_ago
from notify.messages.models import Notification
from notify.reporting.models import StatusFact
from notify.templates.details import is_precompiled
from notify.templates.models import Template

_REMEMBERED: Final = timedelta(days=365)
"""For how long the last use of a template is looked up."""


@dataclass(frozen=True, slots=True)
class TemplateCount:
    """How many messages of a template have a status. A template that is not there has no name."""

    template_id: UUID
    template_name: str | None
    template_type: str
    is_precompiled_letter: bool
    status: str
    count: int


def count_by_template(session: Session, service_id: UUID, whole_days: int, *, now: datetime) -> list[TemplateCount]:
    """What a service sent today and in the `whole_days` local days before, by template, type and status; the busiest
    first. An unknown service sent nothing.
    """
    facts = select(
        StatusFact.template_id,
        StatusFact.notification_type.label("type"),
        StatusFact.notification_status.label("status"),
        StatusFact.notification_count.label("count"),
    ).where(
        StatusFact.service_id == service_id,
        StatusFact.bst_date >= local_date(now) - timedelta(days=whole_days),
        StatusFact.key_type != "test",
    )
    today = (
        select(
            Notification.template_id,
            cast(Notification.notification_type, String).label("type"),
            Notification.notification_status.label("status"),
            func.count().label("count"),
        )
        .where(
            Notification.service_id == service_id,
            Notification.created_at >= local_days_ago(now, 0),
            Notification.key_type != "test",
        )
        .group_by(Notification.template_id, Notification.notification_type, Notification.notification_status)
    )
    sent = union_all(facts, today).subquery()
    total = func.sum(sent.c.count)
    rows = session.execute(
        select(sent.c.template_id, sent.c.type, sent.c.status, total.label("total"), Template.name, Template.hidden)
        .outerjoin(Template, Template.id == sent.c.template_id)
        .group_by(sent.c.template_id, sent.c.type, sent.c.status, Template.name, Template.hidden)
        .order_by(total.desc(), sent.c.template_id, sent.c.status)
    )
    return [
        TemplateCount(
            row.template_id,
            row.name,
            row.type,
            is_precompiled(row.type, row.name, hidden=bool(row.hidden)),
            row.status,
            int(row.total),
        )
        for row in rows
    ]


def last_used(session: Session, service_id: UUID, template_id: UUID, *, now: datetime) -> datetime | None:
    """When a message was last made from a template: the moment if it was today, else midnight of the local day within
    the last year, else None. Raises `NotFoundProblemError` (no such template).
    """
    known = select(Template.id).where(Template.id == template_id, Template.service_id == service_id)
    if session.scalar(known.where(Template.hidden.is_(False))) is None:
        raise NotFoundProblemError
    today = session.scalar(
        select(func.max(Notification.created_at)).where(
            Notification.service_id == service_id,
            Notification.created_at >= local_days_ago(now, 0),
            Notification.template_id == template_id,
            Notification.key_type != "test",
        )
    )
    if today is not None:
        return today
    day = session.scalar(
        select(func.max(StatusFact.bst_date)).where(
            StatusFact.template_id == template_id,
            StatusFact.bst_date >= local_date(now) - _REMEMBERED,
            StatusFact.key_type != "test",
        )
    )
    return None if day is None else datetime.combine(day, time(), UTC)
