"""The use of templates (contract: internal-users-orgs-templates 7): past days from facts, today from messages. Messages
of test keys do not count.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.infra.cache import Cache
from notify.infra.errors import NotFoundProblemError
from notify.infra.times import local_date, local_days_ago
from notify.messages.models import Notification
from notify.reporting.models import StatusFact
from notify.reporting.today import sent_today
from notify.templates.details import is_precompiled
from notify.templates.models import Template

_REMEMBERED: Final = timedelta(days=365)
"""How far back to look for the last use of a template."""


@dataclass(frozen=True, slots=True)
class TemplateCount:
    """The number of a template's messages in a status. A deleted template has no name."""

    template_id: UUID
    template_name: str | None
    template_type: str
    is_precompiled_letter: bool
    status: str
    count: int


def count_by_template(
    session: Session, cache: Cache, service_id: UUID, whole_days: int, *, now: datetime
) -> list[TemplateCount]:
    """What a service sent today and in the `whole_days` local days before, by template, type and status; highest counts
    first. Empty for an unknown service.
    """
    columns = StatusFact.template_id, StatusFact.notification_type, StatusFact.notification_status
    today = local_date(now)
    facts = (
        select(*columns, func.sum(StatusFact.notification_count))
        .where(
            StatusFact.service_id == service_id,
            StatusFact.bst_date >= today - timedelta(days=whole_days),
            StatusFact.bst_date < today,
            StatusFact.key_type != "test",
        )
        .group_by(*columns)
    )
    sent: Counter[tuple[UUID, str, str]] = Counter()
    for template_id, kind, status, number in session.execute(facts):
        sent[template_id, kind, status] += int(number)
    for group in sent_today(session, cache, service_id, now=now):
        sent[group.template_id, group.notification_type, group.status] += group.number
    ids = {template_id for template_id, _kind, _status in sent}
    query = select(Template.id, Template.name, Template.hidden).where(Template.id.in_(ids))
    templates = {row.id: row for row in session.execute(query)}
    counts = []
    for (template_id, kind, status), number in sent.items():
        template = templates.get(template_id)
        uploaded = template is not None and is_precompiled(kind, template.name, hidden=template.hidden)
        name = template.name if template else None
        counts.append(TemplateCount(template_id, name, kind, uploaded, status, number))
    return sorted(counts, key=lambda count: (-count.count, count.template_id, count.status))


def last_used(session: Session, service_id: UUID, template_id: UUID, *, now: datetime) -> datetime | None:
    """When a template was last used: the exact time if it was today, else midnight of the local day within the last
    year, else None. Raises `NotFoundProblemError` (no such template).
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
