"""What the services of an organisation sent in a financial year, and what it cost (contract:
internal-users-orgs-templates 4.4).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import CTE, BigInteger, ColumnElement, and_, case, cast, func, select
from sqlalchemy.orm import Session

from notify.billing.models import AnnualBilling, BillingFact
from notify.services.models import Service

UPDATED_AT_KEY: Final = "update_ft_billing_for_today:updated-at-utc-isoformat"
"""The key of the cache under which stands when today's facts were last updated."""


class ServiceUsage(NamedTuple):
    """The usage of a service. Units are fragments times the multiplier of their country; money is pounds."""

    service_id: UUID
    service_name: str
    active: bool
    free_sms_limit: int
    sms_remainder: int
    sms_billable_units: int
    chargeable_billable_sms: int
    sms_cost: Decimal
    letter_cost: Decimal
    emails_sent: int


def usage_of_services(session: Session, organisation_id: UUID, year: int) -> list[ServiceUsage]:
    """The usage of an organisation's services that are not in trial mode, in the financial year that began in April
    of `year`: the active ones first, each by name. An unknown organisation has none.
    """
    services = (
        select(
            Service.id,
            Service.name,
            Service.active,
            func.coalesce(AnnualBilling.free_sms_fragment_limit, 0).label("free"),
        )
        .outerjoin(
            AnnualBilling, and_(AnnualBilling.service_id == Service.id, AnnualBilling.financial_year_start == year)
        )
        .where(Service.organisation_id == organisation_id, ~Service.restricted)
        .cte("own_services")
    )
    sums = _sums(_facts(services, year))
    units = func.coalesce(sums.c.units, 0)
    query = (
        select(
            services.c.id,
            services.c.name,
            services.c.active,
            services.c.free,
            func.greatest(services.c.free - units, 0),
            units,
            func.coalesce(sums.c.charged, 0),
            func.coalesce(sums.c.sms_cost, 0),
            func.coalesce(sums.c.letter_cost, 0),
            func.coalesce(sums.c.emails, 0),
        )
        .outerjoin(sums, sums.c.service_id == services.c.id)
        .order_by(services.c.active.desc(), func.lower(services.c.name), services.c.id)
    )
    return [ServiceUsage._make(row) for row in session.execute(query)]


def _facts(services: CTE, year: int) -> CTE:
    """The year's facts, with those units of text messages that the free allowance did not cover: it is used up in the
    order of days.
    """
    fact = BillingFact
    units = case(
        (fact.notification_type == "sms", func.coalesce(fact.billable_units, 0) * fact.rate_multiplier), else_=0
    )
    before = func.coalesce(
        func.sum(units).over(
            partition_by=fact.service_id,
            order_by=(fact.bst_date, fact.rate, fact.template_id, fact.provider, fact.rate_multiplier),
            rows=(None, -1),
        ),
        0,
    )
    left = func.greatest(services.c.free - before, 0)
    return (
        select(
            fact.service_id,
            fact.notification_type,
            fact.rate,
            func.coalesce(fact.notifications_sent, 0).label("sent"),
            units.label("units"),
            func.greatest(units - left, 0).label("charged"),
        )
        .join(services, services.c.id == fact.service_id)
        .where(fact.bst_date >= date(year, 4, 1), fact.bst_date < date(year + 1, 4, 1))
        .cte("facts")
    )


def _sums(facts: CTE) -> CTE:
    is_letter, is_email = facts.c.notification_type == "letter", facts.c.notification_type == "email"
    return (
        select(
            facts.c.service_id,
            _integer(func.sum(facts.c.units)).label("units"),
            _integer(func.sum(facts.c.charged)).label("charged"),
            func.sum(facts.c.charged * facts.c.rate).label("sms_cost"),
            func.sum(facts.c.sent * facts.c.rate).filter(is_letter).label("letter_cost"),
            _integer(func.sum(facts.c.sent).filter(is_email)).label("emails"),
        )
        .group_by(facts.c.service_id)
        .cte("sums")
    )


def _integer(amount: ColumnElement[Decimal]) -> ColumnElement[int]:
    return cast(amount, BigInteger)
