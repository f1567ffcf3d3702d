"""What a service used in a financial year, and what it cost (contract: internal-jobs-billing-platform 5.1 and 5.4)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import CTE, Label, Uuid, cast, func, literal, select
from sqlalchemy.orm import Session

from notify.billing.charges import charges, integer, year_bounds
from notify.billing.models import AnnualBilling, BillingFact


class MonthlyUsage(NamedTuple):
    """What was used in a month (named by its first day) of a type of message at one rate and postage. Money is pounds.
    `chargeable_units` are fragments of text messages times the multiplier of their country, or letters;
    `charged_units` are those that the free allowance did not cover.
    """

    month: date
    notification_type: str
    rate: Decimal
    postage: str
    notifications_sent: int
    chargeable_units: int
    charged_units: int
    free_allowance_used: int
    cost: Decimal


class YearlyUsage(NamedTuple):
    """What was used in a year of a type of message at one rate. Units as in `MonthlyUsage`."""

    notification_type: str
    rate: Decimal
    notifications_sent: int
    chargeable_units: int
    charged_units: int
    free_allowance_used: int
    cost: Decimal


class MonthlyUnits(NamedTuple):
    """What was used in a month, as the admin app of 2020 reads it: units of text messages, or letters."""

    month: date
    notification_type: str
    rate: Decimal
    postage: str
    billing_units: int


class YearlyUnits(NamedTuple):
    """What was used in a year, as the admin app of 2020 reads it: units of text messages, letters, emails.
    `letter_total` is pounds.
    """

    notification_type: str
    rate: Decimal
    billing_units: int
    letter_total: Decimal


def monthly_usage(session: Session, service_id: UUID, year: int) -> list[MonthlyUsage]:
    """The text messages and letters of a service by month, type, rate and postage, in that order. A service without a
    free allowance of that year shows no text messages; an unknown one shows nothing.
    """
    row = charges(_allowance(service_id, year), year).c
    month = cast(func.date_trunc("month", row.bst_date), BillingFact.bst_date.type)
    query = (
        select(
            month,
            row.notification_type,
            row.rate,
            row.postage,
            integer(func.sum(row.sent)),
            integer(func.sum(row.units)),
            integer(func.sum(row.charged)),
            integer(func.sum(row.units - row.charged)),
            func.sum(row.cost),
        )
        .where(row.notification_type != "email")
        .group_by(month, row.notification_type, row.rate, row.postage)
        .order_by(month, row.notification_type, row.rate, row.postage)
    )
    return [MonthlyUsage._make(found) for found in session.execute(query)]


def yearly_usage(session: Session, service_id: UUID, year: int) -> list[YearlyUsage]:
    """The messages of a service by type and rate, in that order, emails included; else as `monthly_usage`."""
    row = charges(_allowance(service_id, year), year).c
    query = (
        select(
            row.notification_type,
            row.rate,
            integer(func.sum(row.sent)),
            integer(func.sum(row.units)),
            integer(func.sum(row.charged)),
            integer(func.sum(row.units - row.charged)),
            func.sum(row.cost),
        )
        .group_by(row.notification_type, row.rate)
        .order_by(row.notification_type, row.rate)
    )
    return [YearlyUsage._make(found) for found in session.execute(query)]


def monthly_units(session: Session, service_id: UUID, year: int) -> list[MonthlyUnits]:
    """The units of a service by month, type, rate and postage, before its allowance; emails are left out."""
    row = charges(_whatever_is_free(service_id), year).c
    month = cast(func.date_trunc("month", row.bst_date), BillingFact.bst_date.type)
    query = (
        select(month, row.notification_type, row.rate, row.postage, integer(func.sum(row.units)))
        .where(row.notification_type != "email")
        .group_by(month, row.notification_type, row.rate, row.postage)
        .order_by(month, row.notification_type, row.rate, row.postage)
    )
    return [MonthlyUnits._make(found) for found in session.execute(query)]


def yearly_units(session: Session, service_id: UUID, year: int) -> list[YearlyUnits]:
    """The units of a service by type and rate, before its allowance; for emails, their number."""
    row = charges(_whatever_is_free(service_id), year).c
    units = func.sum(row.units).filter(row.notification_type != "email")
    emails = func.sum(row.sent).filter(row.notification_type == "email")
    letters = func.sum(row.cost).filter(row.notification_type == "letter")
    query = (
        select(row.notification_type, row.rate, integer(func.coalesce(units, emails)), func.coalesce(letters, 0))
        .group_by(row.notification_type, row.rate)
        .order_by(row.notification_type, row.rate)
    )
    return [YearlyUnits._make(found) for found in session.execute(query)]


def units_by_provider(session: Session, since: date) -> dict[str, int]:
    """The text message units sent through each provider from a local day on; providers without any are missing."""
    units = func.coalesce(BillingFact.billable_units, 0) * BillingFact.rate_multiplier
    query = (
        select(BillingFact.provider, integer(func.sum(units)).label("units"))
        .where(BillingFact.bst_date >= since, BillingFact.notification_type == "sms")
        .group_by(BillingFact.provider)
    )
    return {row.provider: row.units for row in session.execute(query)}


def reaches(year: int, day: date) -> bool:
    """Whether a financial year ends on or after a local day, so that messages sent on that day may count in it."""
    return year_bounds(year)[1] >= day


def _allowance(service_id: UUID, year: int) -> CTE:
    of_year = (AnnualBilling.service_id == service_id) & (AnnualBilling.financial_year_start == year)
    fragments = select(AnnualBilling.free_sms_fragment_limit).where(of_year).scalar_subquery()
    return select(_id(service_id), fragments.label("free")).cte("free")


def _whatever_is_free(service_id: UUID) -> CTE:
    return select(_id(service_id), literal(0).label("free")).cte("free")


def _id(service_id: UUID) -> Label[UUID]:
    return literal(service_id, Uuid).label("service_id")
