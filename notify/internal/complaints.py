"""Complaints about emails (contract: internal-jobs-billing-platform 11)."""

from __future__ import annotations

from uuid import UUID

from pydantic import MISSING
from sqlalchemy.orm import Session

from notify.infra.times import utc_now
from notify.internal.fields import IntText, IsoDate, Moment, TextOfNone
from notify.internal.paging import links
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Query
from notify.messages import complaints

routes = Routes("complaints", "/complaint")


class PageQuery(Query):
    """The page to list."""

    page: IntText = 1


class Period(Query):
    """A period of days, both ends included; a missing one is today."""

    start_date: IsoDate | MISSING = MISSING
    end_date: IsoDate | MISSING = MISSING


class ComplaintAnswer(Answer):
    """A complaint."""

    id: UUID
    notification_id: UUID
    service_id: UUID
    service_name: str
    ses_feedback_id: TextOfNone
    complaint_type: str | None
    complaint_date: Moment | None
    created_at: Moment


class ComplaintsAnswer(Answer):
    """A page of complaints."""

    complaints: list[ComplaintAnswer]
    links: dict[str, str]


@routes.get("")
def list_complaints(session: Session, query: PageQuery) -> ComplaintsAnswer:
    """List complaints, newest first."""
    page = complaints.page_of_complaints(session, query.page)
    return ComplaintsAnswer(complaints=ComplaintAnswer.of_each(page.rows), links=links(page))


@routes.get("/count-by-date-range")
def count_complaints(session: Session, query: Period) -> int:
    """Count the complaints of a period."""
    today = utc_now().date()
    given = query.given()
    return complaints.count_complaints(session, given.get("start_date", today), given.get("end_date", today))
