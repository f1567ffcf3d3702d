"""Figures and reports of the platform as a whole (contract: internal-jobs-billing-platform 7)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from uuid import UUID

from pydantic import MISSING, ConfigDict, Field
from sqlalchemy.orm import Session

from notify.billing import reports
from notify.billing.allowances import financial_year
from notify.billing.reports import BilledService, ServiceVolumes
from notify.infra.errors import ProblemError
from notify.infra.replica import BulkSession
from notify.infra.times import utc_now
from notify.internal.fields import Day, IsoDate, read_day
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, FieldsQuery, Query
from notify.reporting import platform

routes = Routes("platform_stats", "/platform-stats")
legacy_routes = Routes("platform_stats_2020", "/platform-stats", legacy=True)


class DaysQuery(Query):
    """A period of days, both ends included; a missing one is today (UTC)."""

    start_date: IsoDate | MISSING = MISSING
    end_date: IsoDate | MISSING = MISSING

    def days(self) -> tuple[date, date]:
        """The first and the last day."""
        given, today = self.given(), utc_now().date()
        return given.get("start_date", today), given.get("end_date", today)


class ReportQuery(FieldsQuery):
    """A period of days, both ends included."""

    start_date: str = ""
    end_date: str = ""

    def days(self) -> tuple[date, date]:
        """The first and the last day. Raises `ProblemError`."""
        return _date(self.start_date), _date(self.end_date)

    def days_of_one_year(self) -> tuple[date, date]:
        """The first and the last day, of one financial year. Raises `ProblemError`."""
        start, end = self.days()
        if start > end:
            raise ProblemError("Start date must be before end date")
        if financial_year(start) != financial_year(end):
            raise ProblemError("Date must be in a single financial year.")
        return start, end


def _date(text: str) -> date:
    if (day := read_day(text)) is None:
        raise ProblemError("Input must be a date in the format: YYYY-MM-DD")
    return day


def _organisation(row: BilledService | ServiceVolumes) -> dict[str, str]:
    """The organisation of a row; empty texts if there is none, as in the contract's reports."""
    return {"organisation_id": str(row.organisation_id or ""), "organisation_name": row.organisation_name or ""}


class FailuresAnswer(Answer):
    """Messages that failed, by status."""

    model_config = ConfigDict(from_attributes=True, serialize_by_alias=True, validate_by_name=True)

    permanent_failure: int = Field(alias="permanent-failure")
    technical_failure: int = Field(alias="technical-failure")
    temporary_failure: int = Field(alias="temporary-failure")
    virus_scan_failed: int = Field(alias="virus-scan-failed")


class TypeTotalsAnswer(Answer):
    """Messages of a type. Those of test keys are not counted in the other numbers."""

    model_config = ConfigDict(from_attributes=True, serialize_by_alias=True, validate_by_name=True)

    failures: FailuresAnswer
    test_key: int = Field(serialization_alias="test-key")
    total: int


class TotalsAnswer(Answer):
    """Messages of each type."""

    email: TypeTotalsAnswer
    sms: TypeTotalsAnswer
    letter: TypeTotalsAnswer


class BilledServiceAnswer(Answer):
    """What a service has to pay for a period; money in pounds."""

    organisation_id: str
    organisation_name: str
    service_id: UUID
    service_name: str
    sms_cost: float
    sms_chargeable_units: int
    total_letters: int
    letter_cost: float
    letter_breakdown: str
    purchase_order_number: str | None
    contact_names: str | None
    contact_email_addresses: str | None
    billing_reference: str | None


class UsedServiceAnswer(Answer):
    """What a service has to pay for a period, for an admin app of 2020."""

    organisation_id: str
    organisation_name: str
    service_id: UUID
    service_name: str
    sms_cost: float
    sms_fragments: int
    letter_cost: float
    letter_breakdown: str


class PrintedLettersAnswer(Answer):
    """Letters that the print provider handed to the postal service on a day; money in pounds."""

    date: Day
    postage: str
    cost_threshold: str
    sheets: int
    rate: float
    letters: int
    cost: float


class DayVolumesAnswer(Answer):
    """What was sent on a day."""

    day: Day
    sms_totals: int
    sms_fragment_totals: int
    sms_chargeable_units: int
    email_totals: int
    letter_totals: int
    letter_sheet_totals: int


class ProviderVolumesAnswer(Answer):
    """What was sent through a text message provider on a day."""

    day: Day
    provider: str
    sms_totals: int
    sms_fragment_totals: int
    sms_chargeable_units: int
    sms_cost: float


class ServiceVolumesAnswer(Answer):
    """What a live service sent in a period."""

    service_id: UUID
    service_name: str
    organisation_id: str
    organisation_name: str
    free_allowance: int
    sms_notifications: int
    sms_chargeable_units: int
    email_totals: int
    letter_totals: int
    letter_sheet_totals: int
    letter_cost: float


@routes.get("")
def get_totals(session: Session, query: DaysQuery) -> TotalsAnswer:
    """Count what all services sent."""
    start, end = query.days()
    return TotalsAnswer.model_validate(platform.platform_totals(session, start, end, now=utc_now()))


@routes.get("/data-for-billing-report")
def report_billing(session: BulkSession, query: ReportQuery) -> Iterator[BilledServiceAnswer]:
    """Report what services have to pay."""
    for row in reports.billed_services(session, *query.days_of_one_year()):
        yield BilledServiceAnswer(**row._asdict() | _organisation(row), sms_chargeable_units=row.sms_units)


@legacy_routes.get("/usage-for-all-services")
def report_usage(session: BulkSession, query: ReportQuery) -> Iterator[UsedServiceAnswer]:
    """Report what services have to pay, as the admin app of 2020 reads it."""
    for row in reports.billed_services(session, *query.days_of_one_year(), with_free_texts=True):
        yield UsedServiceAnswer(**row._asdict() | _organisation(row), sms_fragments=row.sms_units)


@routes.get("/data-for-dvla-billing-report")
def report_printing(session: BulkSession, query: ReportQuery) -> Iterator[PrintedLettersAnswer]:
    """Report the letters that the print provider handed to the postal service."""
    yield from map(PrintedLettersAnswer.of, reports.printed_letters(session, *query.days_of_one_year()))


@routes.get("/daily-volumes-report")
def report_days(session: BulkSession, query: ReportQuery) -> Iterator[DayVolumesAnswer]:
    """Report what was sent by day."""
    yield from map(DayVolumesAnswer.of, reports.day_volumes(session, *query.days()))


@routes.get("/daily-sms-provider-volumes-report")
def report_providers(session: BulkSession, query: ReportQuery) -> Iterator[ProviderVolumesAnswer]:
    """Report what was sent through text message providers by day."""
    yield from map(ProviderVolumesAnswer.of, reports.provider_volumes(session, *query.days()))


@routes.get("/volumes-by-service")
def report_services(session: BulkSession, query: ReportQuery) -> Iterator[ServiceVolumesAnswer]:
    """Report what live services sent."""
    for row in reports.service_volumes(session, *query.days()):
        yield ServiceVolumesAnswer(**row._asdict() | _organisation(row))
