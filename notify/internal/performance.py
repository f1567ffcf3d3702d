"""Figures of the public performance page (contract: internal-jobs-billing-platform 7.4)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from notify.infra.container import Container
from notify.infra.times import utc_now
from notify.internal.fields import Day
from notify.internal.platform_stats import DaysQuery
from notify.internal.routes import Routes
from notify.internal.schemas import Answer
from notify.reporting import platform

performance_routes = Routes("performance", "/performance-dashboard")


class DayOfTypesAnswer(Answer):
    """Messages of a day."""

    date: Day
    emails: int
    sms: int
    letters: int


class ProcessingDayAnswer(Answer):
    """The percentage of a day's messages that was handed to providers within ten seconds."""

    date: Day
    percentage_under_10_seconds: float


class LiveServiceNameAnswer(Answer):
    """A live service and its organisation."""

    service_id: UUID
    service_name: str
    organisation_id: UUID | None
    organisation_name: str | None


class PerformanceAnswer(Answer):
    """Figures of the public performance page. Totals are of all time."""

    total_notifications: int
    email_notifications: int
    sms_notifications: int
    letter_notifications: int
    notifications_by_type: list[DayOfTypesAnswer]
    processing_time: list[ProcessingDayAnswer]
    live_service_count: int
    services_using_notify: list[LiveServiceNameAnswer]


@performance_routes.get("")
def get_performance(session: Session, container: Container, query: DaysQuery) -> PerformanceAnswer:
    """Get the figures of the public performance page."""
    start, end = query.days()
    totals = platform.all_time_totals(session, container.parts.cache, now=utc_now())
    services = platform.live_services(session)
    return PerformanceAnswer(
        total_notifications=sum(totals.values()),
        email_notifications=totals["email"],
        sms_notifications=totals["sms"],
        letter_notifications=totals["letter"],
        notifications_by_type=DayOfTypesAnswer.of_each(platform.days_of_types(session, start, end)),
        processing_time=ProcessingDayAnswer.of_each(platform.processing_days(session, start, end)),
        live_service_count=len(services),
        services_using_notify=LiveServiceNameAnswer.of_each(services),
    )
