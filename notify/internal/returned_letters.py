"""Returned letters (contract: internal-jobs-billing-platform 13)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import MISSING, Field
from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.errors import BusyError, NotFoundProblemError
from notify.infra.times import utc_now
from notify.internal.errors import Envelope
from notify.internal.fields import Day, SpacedMoment, read_day
from notify.internal.routes import Routes
from notify.internal.schemas import Answer, Body, Query
from notify.letters import returned
from notify.letters.returned_report import read_report

letters = Routes("returned_letters", "/letters", envelope=Envelope.V2)
routes = Routes("returned_letters_of_services", "/service/<uuid:service_id>")

Reference = Annotated[str, Field(pattern=r"^[0-9A-Z]{16}$")]


class ReturnedReferences(Body):
    """References of returned letters, as the print provider reports them."""

    references: Annotated[list[Reference], Field(min_length=1)]


class ReferencesAnswer(Answer):
    """The references that are being processed."""

    references: list[str]


class ReportQuery(Query):
    """The day of the reports. Text that is not a date matches no report."""

    reported_at: str | MISSING = MISSING


class StatisticsAnswer(Answer):
    """The number of letters returned in the last seven days, and the time of the latest report."""

    returned_letter_count: int
    most_recent_report: SpacedMoment | None


class SummaryAnswer(Answer):
    """The number of letters in a day's reports."""

    returned_letter_count: int
    reported_at: Day


class ReturnedLetterAnswer(Answer):
    """A returned letter."""

    notification_id: UUID
    client_reference: str | None
    reported_at: Day
    created_at: SpacedMoment
    template_name: str | None
    template_id: UUID | None
    template_version: int | None
    user_name: str
    email_address: str
    original_file_name: str | None
    job_row_number: int | None
    uploaded_letter_file_name: str | None


class ReportAnswer(Answer):
    """A day's letters, and the number of those that are no longer stored."""

    returned_letters: list[ReturnedLetterAnswer]
    orphaned_count: int


@letters.post("/returned", writes=False)
def report_returned_letters(container: Container, body: ReturnedReferences) -> ReferencesAnswer:
    """Report returned letters."""
    if not returned.publish(container.parts.queue, body.references):
        raise BusyError
    return ReferencesAnswer(references=body.references)


@routes.get("/returned-letter-statistics")
def count_returned_letters(session: Session, service_id: UUID) -> StatisticsAnswer:
    """Count recently returned letters."""
    return StatisticsAnswer.of(returned.count(session, service_id, utc_now()))


@routes.get("/returned-letter-summary")
def summarise_returned_letters(session: Session, service_id: UUID) -> list[SummaryAnswer]:
    """Count returned letters by the day of the report."""
    return SummaryAnswer.of_each(returned.summarise(session, service_id))


@routes.get("/returned-letters")
def list_returned_letters(session: Session, service_id: UUID, query: ReportQuery) -> ReportAnswer:
    """List the letters of a day's reports, the newest first."""
    given: str | None = query.given().get("reported_at")
    if given is None:
        return ReportAnswer(returned_letters=[], orphaned_count=0)
    if (day := read_day(given)) is None:
        raise NotFoundProblemError
    report = read_report(session, service_id, day)
    return ReportAnswer(
        returned_letters=ReturnedLetterAnswer.of_each(report.returned_letters), orphaned_count=report.orphaned_count
    )
