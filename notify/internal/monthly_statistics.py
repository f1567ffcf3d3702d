"""Statistics of a service by month of a financial year (contract: internal-services 12)."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from notify.billing.allowances import financial_year
from notify.infra.container import Container
from notify.infra.errors import ProblemError
from notify.infra.times import local_date, utc_now
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Data, FieldsQuery
from notify.reporting import monthly
from notify.services.service import get_service

routes = Routes("monthly_statistics", "/service/<uuid:service_id>/notifications")

_YEAR: Final = re.compile(r"\s*\d{1,4}\s*", re.ASCII)


class FinancialYearQuery(FieldsQuery):
    """A financial year, by the year in which it begins."""

    year: str = ""

    def number(self) -> int:
        """The year. Raises `ProblemError`."""
        year = int(self.year) if _YEAR.fullmatch(self.year) else 0
        if not 0 < year < 9999:
            raise ProblemError("Year must be a number")
        return year


class TemplateMonthAnswer(Answer):
    """The use of a template in a month. For past years, month and year are text, as in the contract."""

    template_id: UUID
    name: str
    type: str
    month: int | str
    year: int | str
    count: int
    is_precompiled_letter: bool


class TemplateMonthsAnswer(Answer):
    """The use of templates by month."""

    stats: list[TemplateMonthAnswer]


@routes.get("/monthly")
def get_statuses_by_month(
    session: Session, container: Container, service_id: UUID, query: FinancialYearQuery
) -> Data[dict[str, dict[str, dict[str, int]]]]:
    """Count a service's messages by month and status."""
    get_service(session, service_id)
    months = monthly.statuses_by_month(session, container.parts.cache, service_id, query.number(), now=utc_now())
    return Data(data={name: {kind: dict(counts) for kind, counts in kinds.items()} for name, kinds in months.items()})


@routes.get("/templates_usage/monthly")
def get_templates_by_month(
    session: Session, container: Container, service_id: UUID, query: FinancialYearQuery
) -> TemplateMonthsAnswer:
    """Count a service's messages by month and template."""
    year, now = query.number(), utc_now()
    rows = TemplateMonthAnswer.of_each(
        monthly.templates_by_month(session, container.parts.cache, service_id, year, now=now)
    )
    if year != financial_year(local_date(now)):
        rows = [row.model_copy(update={"month": str(row.month), "year": str(row.year)}) for row in rows]
    return TemplateMonthsAnswer(stats=rows)
