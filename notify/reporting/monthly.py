"""Statistics of a service by month of a financial year (contract: internal-services 12): past days from facts, today
from messages. Messages of test keys do not count.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from notify.billing.allowances import financial_year
from notify.billing.charges import year_bounds
from notify.infra.cache import Cache
from notify.infra.times import local_date
from notify.reporting.models import StatusFact
from notify.reporting.today import sent_today
from notify.templates.details import is_precompiled
from notify.templates.models import Template
from notify.vocabulary import NOTIFICATION_TYPES

Statuses = Mapping[str, Mapping[str, int]]
"""Numbers of messages by type and status; statuses without messages are missing."""


@dataclass(frozen=True, slots=True)
class TemplateMonth:
    """The number of messages of a template in a month (1 to 12)."""

    template_id: UUID
    name: str
    type: str
    month: int
    year: int
    count: int
    is_precompiled_letter: bool


def statuses_by_month(
    session: Session, cache: Cache, service_id: UUID, year: int, *, now: datetime
) -> dict[str, Statuses]:
    """The statuses of a service's messages in the financial year that began in April of `year`, by month
    (`2024-04`): each month that has begun, in order.
    """
    today = local_date(now)
    months: dict[str, dict[str, Counter[str]]] = {
        f"{month:%Y-%m}": {kind: Counter() for kind in NOTIFICATION_TYPES} for month in _months(year, today)
    }
    if not months:
        return {}
    month = func.to_char(StatusFact.bst_date, "YYYY-MM")
    columns = month, StatusFact.notification_type, StatusFact.notification_status
    first, last = year_bounds(year)
    facts = (
        select(*columns, func.sum(StatusFact.notification_count))
        .where(
            StatusFact.service_id == service_id,
            StatusFact.bst_date.between(first, last),
            StatusFact.bst_date < today,
            StatusFact.key_type != "test",
        )
        .group_by(*columns)
    )
    for name, kind, status, number in session.execute(facts):
        months[name][kind][status] += int(number)
    if financial_year(today) == year:
        for group in sent_today(session, cache, service_id, now=now):
            months[f"{today:%Y-%m}"][group.notification_type][group.status] += group.number
    return dict(months)


def templates_by_month(
    session: Session, cache: Cache, service_id: UUID, year: int, *, now: datetime
) -> list[TemplateMonth]:
    """The use of templates in a financial year, by month and name. Cancelled messages do not count."""
    today, (first, last) = local_date(now), year_bounds(year)
    month = func.date_trunc("month", StatusFact.bst_date).cast(StatusFact.bst_date.type)
    facts = (
        select(month, StatusFact.template_id, func.sum(StatusFact.notification_count))
        .where(
            StatusFact.service_id == service_id,
            StatusFact.bst_date.between(first, last),
            StatusFact.bst_date < today,
            StatusFact.key_type != "test",
            StatusFact.notification_status != "cancelled",
        )
        .group_by(month, StatusFact.template_id)
    )
    used: Counter[tuple[date, UUID]] = Counter()
    for began, template_id, number in session.execute(facts):
        used[began, template_id] += int(number)
    if financial_year(today) == year:
        for group in sent_today(session, cache, service_id, now=now):
            if group.status != "cancelled":
                used[today.replace(day=1), group.template_id] += group.number
    ids = {template_id for _began, template_id in used}
    templates = {row.id: row for row in session.scalars(select(Template).where(Template.id.in_(ids)))}
    rows = [
        TemplateMonth(
            template_id=template.id,
            name=template.name,
            type=template.template_type,
            month=began.month,
            year=began.year,
            count=number,
            is_precompiled_letter=is_precompiled(template.template_type, template.name, hidden=template.hidden),
        )
        for (began, template_id), number in used.items()
        if (template := templates.get(template_id)) is not None
    ]
    return sorted(rows, key=lambda row: (row.year, row.month, row.name, row.template_id))


def _months(year: int, today: date) -> list[date]:
    """The first days of the months of a financial year that have begun."""
    months = [date(year + (month > 12), (month - 1) % 12 + 1, 1) for month in range(4, 16)]
    return [month for month in months if month <= today]
