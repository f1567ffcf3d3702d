"""The usage of an organisation's services (contract: internal-users-orgs-templates 4.4)."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from notify.billing import organisation_usage
from notify.billing.allowances import financial_year
from notify.infra.container import Container
from notify.infra.errors import ProblemError
from notify.infra.times import local_date, utc_now
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, FieldsQuery

routes = Routes("organisation_usage", "/organisations/<uuid:organisation_id>/services-with-usage")

_YEAR: Final = re.compile(r"\s*\d{4}\s*", re.ASCII)


class YearQuery(FieldsQuery):
    """A financial year, by the year in which it begins."""

    year: str = ""


class ServiceUsageAnswer(Answer):
    """What a service sent, and what it cost in pounds."""

    service_id: UUID
    service_name: str
    free_sms_limit: int
    sms_remainder: int
    sms_billable_units: int
    chargeable_billable_sms: int
    sms_cost: float
    letter_cost: float
    emails_sent: int
    active: bool


class UsageAnswer(Answer):
    """The usage of services. In the current year, `updated_at` is when it was last computed."""

    services: list[ServiceUsageAnswer]
    updated_at: str | None


@routes.get("")
def get_usage_of_services(
    session: Session, container: Container, organisation_id: UUID, query: YearQuery
) -> UsageAnswer:
    """Get the usage of an organisation's services."""
    year = _year(query.year)
    usage = organisation_usage.usage_of_services(session, organisation_id, year)
    updated_at = None
    if year == financial_year(local_date(utc_now())):
        stored = container.parts.cache.get(organisation_usage.UPDATED_AT_KEY)
        updated_at = stored.decode() if stored else None
    return UsageAnswer(services=ServiceUsageAnswer.of_each(usage), updated_at=updated_at)


def _year(text: str) -> int:
    year = int(text) if _YEAR.fullmatch(text) else 0
    if not 0 < year < 9999:
        raise ProblemError("No valid year provided")
    return year
