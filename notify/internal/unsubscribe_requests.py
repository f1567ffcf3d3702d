"""Unsubscribe requests of recipients, and reports of them for services (contract: internal-services 14.2)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.database import after_commit
from notify.infra.errors import FieldsProblemError, ValidationProblemError
from notify.infra.times import utc_now
from notify.internal.fields import HttpDate, IsoDateTime, LocalMoment, Moment
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Empty
from notify.messages.unsubscribe_requests import requests_of_report
from notify.unsubscribes import reports
from notify.unsubscribes.actions import cache_keys

routes = Routes("unsubscribe_requests", "/service/<uuid:service_id>")


class NewReport(Body):
    """The requests to include: the number that was shown, and the times of the first and the last of them."""

    count: Annotated[int, Field(ge=0, lt=2**63)] | MISSING = MISSING
    earliest_timestamp: IsoDateTime | MISSING = MISSING
    latest_timestamp: IsoDateTime | MISSING = MISSING


class ProcessedReport(Body):
    """Whether the service has processed the report."""

    report_has_been_processed: bool | MISSING = MISSING


class ReportSummaryAnswer(Answer):
    """A report, or the requests without a report."""

    batch_id: UUID | None
    count: int
    created_at: Moment | None
    earliest_timestamp: Moment
    latest_timestamp: Moment
    processed_by_service_at: Moment | None
    is_a_batched_report: bool
    will_be_archived_at: Moment
    service_id: UUID


class StatisticsAnswer(Answer):
    """The number of unprocessed requests, and the time of the latest."""

    unsubscribe_requests_count: int
    datetime_of_latest_unsubscribe_request: HttpDate


class NewReportAnswer(Answer):
    """The id of a new report."""

    report_id: UUID


class RequestAnswer(Answer):
    """A request."""

    email_address: str
    template_name: str
    original_file_name: str
    template_sent_at: LocalMoment | None
    unsubscribe_request_received_at: LocalMoment


class ReportAnswer(Answer):
    """A report with its requests."""

    batch_id: UUID
    earliest_timestamp: HttpDate
    latest_timestamp: HttpDate
    unsubscribe_requests: list[RequestAnswer]


@routes.get("/unsubscribe-request-reports-summary")
def list_reports(session: Session, service_id: UUID) -> list[ReportSummaryAnswer]:
    """List a service's reports of unsubscribe requests."""
    return ReportSummaryAnswer.of_each(reports.summarise_reports(session, service_id))


@routes.get("/unsubscribe-request-statistics")
def count_requests(session: Session, service_id: UUID) -> StatisticsAnswer | Empty:
    """Count a service's unprocessed unsubscribe requests."""
    found = reports.count_requests(session, service_id)
    return Empty() if found is None else StatisticsAnswer.of(found)


@routes.post("/create-unsubscribe-request-report", status=201)
def create_report(session: Session, container: Container, service_id: UUID, body: NewReport) -> NewReportAnswer:
    """Create a report of unsubscribe requests."""
    given = body.given()
    if not given:
        text = "summary data needed to create an unsubscribe request report is missing"
        raise FieldsProblemError({"summary_data": text})
    _check_all_given(NewReport, given)
    report = reports.create_report(
        session,
        service_id,
        count=given["count"],
        earliest=given["earliest_timestamp"],
        latest=given["latest_timestamp"],
    )
    _forget(session, container, service_id)
    return NewReportAnswer(report_id=report.id)


@routes.get("/unsubscribe-request-report/<uuid:batch_id>")
def get_report(session: Session, service_id: UUID, batch_id: UUID) -> ReportAnswer:
    """Get a report of unsubscribe requests."""
    report = reports.get_report(session, batch_id)
    return ReportAnswer(
        batch_id=report.id,
        earliest_timestamp=report.earliest_timestamp,
        latest_timestamp=report.latest_timestamp,
        unsubscribe_requests=RequestAnswer.of_each(requests_of_report(session, service_id, batch_id)),
    )


@routes.post("/process-unsubscribe-request-report/<uuid:batch_id>")
def process_report(
    session: Session, container: Container, service_id: UUID, batch_id: UUID, body: ProcessedReport
) -> None:
    """Mark a report of unsubscribe requests as processed, or as unprocessed."""
    given = body.given()
    if not given:
        raise FieldsProblemError({"marked_as_completed": "missing data for required field"})
    is_done = given["report_has_been_processed"]
    reports.mark_report(session, service_id, batch_id, is_done=is_done, now=utc_now())
    _forget(session, container, service_id)


def _check_all_given(model: type[Body], given: dict[str, object]) -> None:
    missing = [f"{name} is a required property" for name in model.model_fields if name not in given]
    if missing:
        raise ValidationProblemError(missing)


def _forget(session: Session, container: Container, service_id: UUID) -> None:
    """Clear the admin app's cache of a service's requests."""
    after_commit(session, lambda: container.parts.cache.delete(*cache_keys(service_id)))
