"""Reports of unsubscribe requests, which a service processes (contract: internal-services 14.2). Every function
flushes; the caller's transaction commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select, update
from sqlalchemy.orm import Session

from notify.infra.errors import FieldsProblemError, ProblemError
from notify.infra.times import local_midnight
from notify.unsubscribes.models import UnsubscribeRequest, UnsubscribeRequestReport

REPORTED_DAYS: Final = 7
"""Days after its report was created until a request is archived."""
UNREPORTED_DAYS: Final = 90
"""Days after it was received until a request without a report is archived."""


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """A report, or the requests that are in no report yet: then `batch_id`, `created_at` and `processed_by_service_at`
    are None.
    """

    batch_id: UUID | None
    count: int
    created_at: datetime | None
    earliest_timestamp: datetime
    latest_timestamp: datetime
    processed_by_service_at: datetime | None
    is_a_batched_report: bool
    will_be_archived_at: datetime
    service_id: UUID


class RequestStatistics(NamedTuple):
    """The number of unprocessed requests of a service, and when the latest request was received."""

    unsubscribe_requests_count: int
    datetime_of_latest_unsubscribe_request: datetime


class ReportMissingError(ProblemError):
    """There is no such report."""

    def __init__(self, report_id: UUID) -> None:
        super().__init__(f"No report available for {report_id}")


class ReportToProcessMissingError(FieldsProblemError):
    """There is no such report to process."""

    def __init__(self, report_id: UUID) -> None:
        super().__init__({"batch_id": f"No UnsubscribeRequestReport found for id:{report_id}"})


def summarise_reports(session: Session, service_id: UUID) -> list[ReportSummary]:
    """The requests that are in no report, then the reports that still have requests, newest first."""
    report = UnsubscribeRequestReport
    has_requests = exists(UnsubscribeRequest.id).where(UnsubscribeRequest.unsubscribe_request_report_id == report.id)
    reports = session.scalars(
        select(report)
        .where(report.service_id == service_id, has_requests)
        .order_by(report.latest_timestamp.desc(), report.created_at.desc(), report.id)
    )
    summaries = [
        ReportSummary(
            batch_id=row.id,
            count=row.count,
            created_at=row.created_at,
            earliest_timestamp=row.earliest_timestamp,
            latest_timestamp=row.latest_timestamp,
            processed_by_service_at=row.processed_by_service_at,
            is_a_batched_report=True,
            will_be_archived_at=_midnight_after(row.created_at, REPORTED_DAYS),
            service_id=service_id,
        )
        for row in reports
    ]
    waiting = _summarise_waiting(session, service_id)
    return summaries if waiting is None else [waiting, *summaries]


def _summarise_waiting(session: Session, service_id: UUID) -> ReportSummary | None:
    came = UnsubscribeRequest.created_at
    query = select(func.count(), func.min(came), func.max(came)).where(*_waiting(service_id))
    count, earliest, latest = session.execute(query).one()
    if not count:
        return None
    return ReportSummary(
        batch_id=None,
        count=count,
        created_at=None,
        earliest_timestamp=earliest,
        latest_timestamp=latest,
        processed_by_service_at=None,
        is_a_batched_report=False,
        will_be_archived_at=_midnight_after(earliest, UNREPORTED_DAYS),
        service_id=service_id,
    )


def count_requests(session: Session, service_id: UUID) -> RequestStatistics | None:
    """The number of unprocessed requests; 0 with the time of the latest if all are processed; None if there are no
    requests.
    """
    request, report = UnsubscribeRequest, UnsubscribeRequestReport
    own = (
        select(func.count(), func.max(request.created_at))
        .outerjoin(report, report.id == request.unsubscribe_request_report_id)
        .where(request.service_id == service_id)
    )
    is_open = or_(request.unsubscribe_request_report_id.is_(None), report.processed_by_service_at.is_(None))
    count, latest = session.execute(own.where(is_open)).one()
    if not count:
        _all, latest = session.execute(own).one()
    return None if latest is None else RequestStatistics(count, latest)


def create_report(
    session: Session, service_id: UUID, *, count: int, earliest: datetime, latest: datetime
) -> UnsubscribeRequestReport:
    """Create a report of the requests received between two times, both included, that are in no report yet. `count` is
    the number that was shown to the service, and is stored as given.
    """
    report = UnsubscribeRequestReport(
        service_id=service_id, count=count, earliest_timestamp=earliest, latest_timestamp=latest
    )
    session.add(report)
    session.flush()
    session.execute(
        update(UnsubscribeRequest)
        .where(*_waiting(service_id), UnsubscribeRequest.created_at.between(earliest, latest))
        .values(unsubscribe_request_report_id=report.id)
    )
    return report


def get_report(session: Session, report_id: UUID) -> UnsubscribeRequestReport:
    """A report. Raises `ReportMissingError`."""
    report = session.get(UnsubscribeRequestReport, report_id)
    if report is None:
        raise ReportMissingError(report_id)
    return report


def mark_report(session: Session, service_id: UUID, report_id: UUID, *, is_done: bool, now: datetime) -> None:
    """Mark a service's report as processed or unprocessed. Raises `ReportToProcessMissingError`."""
    report = session.get(UnsubscribeRequestReport, report_id)
    if report is None or report.service_id != service_id:
        raise ReportToProcessMissingError(report_id)
    report.processed_by_service_at = now if is_done else None
    session.flush()


def _waiting(service_id: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    request = UnsubscribeRequest
    return request.service_id == service_id, request.unsubscribe_request_report_id.is_(None)


def _midnight_after(moment: datetime, days: int) -> datetime:
    """The local midnight at the start of the day that is `days` days after the UTC day of a moment."""
    day: date = moment.astimezone(UTC).date()
    return local_midnight(day + timedelta(days=days))
