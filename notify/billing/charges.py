"""Charges from the billing facts: allowance used, and money (contract: internal-jobs-billing-platform 5.2).

Units are the fragments of a text message times the multiplier of its country. The free units of a financial year are
used up in the order of days. Letters are charged by the letter, not by the sheet. Emails are free.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import CTE, BigInteger, ColumnElement, Subquery, case, cast, func, select

from notify.billing.models import BillingFact


def year_bounds(year: int) -> tuple[date, date]:
    """The first and the last local day of the financial year that begins in April of `year`."""
    return date(year, 4, 1), date(year + 1, 3, 31)


def integer(amount: ColumnElement[int]) -> ColumnElement[int]:
    """A sum of integers, which is a decimal in the database, as an integer."""
    return cast(amount, BigInteger)


def charges(free: CTE | Subquery, year: int, until: date | None = None) -> CTE:
    """What services used in a financial year, up to a local day, by type of message, rate and postage.

    `free` has the columns `service_id` and `free` (units): other services are left out, and text messages are left out
    where `free` is null. The columns of the result: `service_id`, `bst_date`, `notification_type`, `rate`, `postage`,
    `sent` (messages), `billable` (fragments, sheets), `units`, `charged` (units that the allowance did not cover; of
    letters: letters) and `cost` (pounds).
    """
    first, last = year_bounds(year)
    fact = BillingFact
    is_sms, is_letter = fact.notification_type == "sms", fact.notification_type == "letter"
    sent, billable = (
        func.sum(func.coalesce(fact.notifications_sent, 0)),
        func.sum(func.coalesce(fact.billable_units, 0)),
    )
    sms_units = func.sum(func.coalesce(fact.billable_units, 0) * fact.rate_multiplier)
    units = case((is_sms, sms_units), (is_letter, sent), else_=billable)
    used = (
        select(
            fact.service_id,
            fact.bst_date,
            fact.notification_type,
            fact.rate,
            fact.postage,
            free.c.free,
            integer(sent).label("sent"),
            integer(billable).label("billable"),
            integer(units).label("units"),
        )
        .join(free, free.c.service_id == fact.service_id)
        .where(fact.bst_date >= first, fact.bst_date <= min(last, until or last), ~is_sms | free.c.free.is_not(None))
        .group_by(fact.service_id, fact.bst_date, fact.notification_type, fact.rate, fact.postage, free.c.free)
        .cte("used")
    )
    row = used.c
    before = func.sum(row.units).over(
        partition_by=(row.service_id, row.notification_type), order_by=(row.bst_date, row.rate), rows=(None, -1)
    )
    left = func.greatest(row.free - func.coalesce(before, 0), 0)
    charged = case((row.notification_type == "sms", func.greatest(row.units - left, 0)), else_=row.units)
    told = select(row.service_id, row.bst_date, row.notification_type, row.rate, row.postage, row.sent, row.billable)
    priced = told.add_columns(row.units, integer(charged).label("charged")).cte("priced")
    return select(*priced.c, (priced.c.charged * priced.c.rate).label("cost")).cte("charges")
