"""What the services of an organisation sent in a financial year, and what it cost (contract:
internal-users-orgs-templates 4.4).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import CTE, and_, func, select
from sqlalchemy.orm import Session

from notify.billing.charges import charges, integer
from notify.billing.models import AnnualBilling
from notify.services.models import Service

UPDATED_AT_KEY: Final = "update_ft_billing_for_today:updated-at-utc-isoformat"
"""Cache key of the time at which today's facts were last updated."""


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
    free = select(services.c.id.label("service_id"), services.c.free).cte("free")
    sums = _sums(charges(free, year))
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


def _sums(used: CTE) -> CTE:
    is_sms = used.c.notification_type == "sms"
    is_letter, is_email = used.c.notification_type == "letter", used.c.notification_type == "email"
    return (
        select(
            used.c.service_id,
            integer(func.sum(used.c.units).filter(is_sms)).label("units"),
            integer(func.sum(used.c.charged).filter(is_sms)).label("charged"),
            func.sum(used.c.cost).filter(is_sms).label("sms_cost"),
            func.sum(used.c.cost).filter(is_letter).label("letter_cost"),
            integer(func.sum(used.c.sent).filter(is_email)).label("emails"),
        )
        .group_by(used.c.service_id)
        .cte("sums")
    )
