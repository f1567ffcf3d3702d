"""Usage of a service in a financial year (contract: internal-jobs-billing-platform 5.1; of 2020: 5.4)."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Final
from uuid import UUID

from pydantic import PlainSerializer, WithJsonSchema
from sqlalchemy.orm import Session

from notify.billing import usage
from notify.infra.errors import ProblemError
from notify.infra.replica import BulkSession
from notify.infra.times import local_date, utc_now
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, FieldsQuery
from notify.reporting.billing_facts import store_billing
from notify.services.queries import permissions
from notify.vocabulary import NOTIFICATION_TYPES

routes = Routes("usage", "/service/<uuid:service_id>/billing")
legacy_routes = Routes("usage_2020", "/service/<uuid:service_id>/billing", legacy=True)

_YEAR: Final = re.compile(r"\s*\d{1,4}\s*", re.ASCII)
_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

MonthName = Annotated[
    date,
    PlainSerializer(lambda day: _MONTHS[day.month - 1], return_type=str),
    WithJsonSchema({"type": "string", "enum": list(_MONTHS)}, mode="serialization"),
]
"""The English name of a day's month."""


class FinancialYearQuery(FieldsQuery):
    """A financial year, by the year in which it begins."""

    year: str = ""

    def number(self) -> int:
        """The year. Raises `ProblemError`."""
        year = int(self.year) if _YEAR.fullmatch(self.year) else 0
        if not 0 < year < 9999:
            raise ProblemError("No valid year provided")
        return year


class MonthlyUsageAnswer(Answer):
    """What was used in a month of a type at one rate and postage; money in pounds."""

    month: MonthName
    notification_type: str
    rate: float
    postage: str
    notifications_sent: int
    chargeable_units: int
    charged_units: int
    free_allowance_used: int
    cost: float


class YearlyUsageAnswer(Answer):
    """What was used in a year of a type at one rate; money in pounds."""

    notification_type: str
    chargeable_units: int
    notifications_sent: int
    rate: float
    cost: float
    free_allowance_used: int
    charged_units: int


class MonthlyUnitsAnswer(Answer):
    """What was used in a month, for an admin app of 2020."""

    month: MonthName
    notification_type: str
    billing_units: int
    rate: float
    postage: str


class YearlyUnitsAnswer(Answer):
    """What was used in a year, for an admin app of 2020."""

    notification_type: str
    billing_units: int
    rate: float
    letter_total: float


def _bill_today(session: Session, service_id: UUID, year: int) -> None:
    """Update the facts of today, so that a report by month includes what the service sent today."""
    today = local_date(utc_now())
    if usage.reaches(year, today):
        allowed = set(permissions(session, service_id))
        types = [kind for kind in NOTIFICATION_TYPES if kind in allowed]
        store_billing(session, today, [service_id], types=types)


@routes.get("/monthly-usage", writes=True)
def get_monthly_usage(session: Session, service_id: UUID, query: FinancialYearQuery) -> list[MonthlyUsageAnswer]:
    """Get what a service used by month."""
    year = query.number()
    _bill_today(session, service_id, year)
    return MonthlyUsageAnswer.of_each(usage.monthly_usage(session, service_id, year))


@routes.get("/yearly-usage-summary")
def get_yearly_usage(session: BulkSession, service_id: UUID, query: FinancialYearQuery) -> list[YearlyUsageAnswer]:
    """Get what a service used in a year."""
    return YearlyUsageAnswer.of_each(usage.yearly_usage(session, service_id, query.number()))


@legacy_routes.get("/ft-monthly-usage", writes=True)
def get_monthly_units(session: Session, service_id: UUID, query: FinancialYearQuery) -> list[MonthlyUnitsAnswer]:
    """Get what a service used by month, as the admin app of 2020 reads it."""
    year = query.number()
    _bill_today(session, service_id, year)
    return MonthlyUnitsAnswer.of_each(usage.monthly_units(session, service_id, year))


@legacy_routes.get("/ft-yearly-usage-summary", writes=True)
def get_yearly_units(session: Session, service_id: UUID, query: FinancialYearQuery) -> list[YearlyUnitsAnswer]:
    """Get what a service used in a year, as the admin app of 2020 reads it."""
    year = query.number()
    _bill_today(session, service_id, year)
    return YearlyUnitsAnswer.of_each(usage.yearly_units(session, service_id, year))
