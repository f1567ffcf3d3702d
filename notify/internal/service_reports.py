"""Reports about all live services (contract: internal-services 2.1, internal-jobs-billing-platform 7.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any
from uuid import UUID

from notify.billing.allowances import financial_year
from notify.infra.errors import NotFoundProblemError
from notify.infra.replica import BulkSession
from notify.infra.times import local_date, utc_now
from notify.internal.fields import HttpDate, read_day
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Data, FieldsQuery
from notify.reporting import service_reports

routes = Routes("service_reports", "/service")


class PeriodQuery(FieldsQuery):
    """A period of days, both ends included."""

    start_date: str
    end_date: str


class LiveServiceAnswer(Answer):
    """A live service, with its contacts and volumes."""

    service_id: UUID
    service_name: str
    organisation_name: str | None
    organisation_type: str | None
    consent_to_research: bool | None
    contact_name: str | None
    contact_email: str | None
    contact_mobile: str | None
    live_date: HttpDate | None
    sms_volume_intent: int | None
    email_volume_intent: int | None
    letter_volume_intent: int | None
    sms_totals: int
    email_totals: int
    letter_totals: int
    free_sms_fragment_limit: int


def _day(text: str) -> date:
    """The day that a text names. Raises `NotFoundProblemError` for other text, as the contract says."""
    if (day := read_day(text)) is None:
        raise NotFoundProblemError
    return day


@routes.get("/live-services-data")
def list_live_services(session: BulkSession) -> Data[list[LiveServiceAnswer]]:
    """List live services with their contacts and volumes."""
    year_start = date(financial_year(local_date(utc_now())), 4, 1)
    return Data(data=LiveServiceAnswer.of_each(service_reports.list_live_services(session, year_start)))


@routes.get("/monthly-data-by-service")
def list_months(session: BulkSession, query: PeriodQuery) -> Iterator[list[Any]]:
    """Count what live services sent by month, as rows without names."""
    yield from map(list, service_reports.list_months(session, _day(query.start_date), _day(query.end_date)))
