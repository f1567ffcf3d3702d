"""Celery tasks about services: thin wrappers."""

from __future__ import annotations

from functools import partial

import structlog
from celery.schedules import crontab

from notify import queues
from notify.infra.container import Container
from notify.infra.replica import Replica
from notify.infra.task_set import TaskSet
from notify.infra.tickets import Tickets
from notify.infra.times import utc_now
from notify.services import alerts

logger = structlog.get_logger(__name__)

tasks = TaskSet()

REPORT = "weekly-dwp-report"


@tasks.periodic("check-for-low-available-inbound-sms-numbers", crontab(hour=9, minute=0, day_of_week="mon"))
def check_for_low_available_inbound_sms_numbers(container: Container) -> None:
    """Request more inbound numbers if few are left (contract: workers 16)."""
    with container.parts.database.reading() as session:
        number = alerts.count_free_numbers(session)
    if number <= alerts.FEWEST_NUMBERS:
        container.get(Tickets).create(
            alerts.NUMBERS_SUBJECT,
            alerts.numbers_message(number),
            kind="task",
            task_type=alerts.NUMBERS_TASK,
            names_environment=False,
        )


@tasks.periodic("zendesk-new-email-branding-report", crontab(hour=0, minute=30, day_of_week="mon-fri"))
def zendesk_new_email_branding_report(container: Container) -> None:
    """Request a review of new email brandings (contract: workers 16)."""
    parts = container.parts
    with parts.database.reading() as session:
        brandings = alerts.new_brandings(session, alerts.previous_weekday(utc_now()))
    if brandings:
        container.get(Tickets).create(
            alerts.BRANDINGS_SUBJECT,
            alerts.brandings_message(parts.settings.admin_base_url.rstrip("/"), brandings),
            kind="task",
            task_type=alerts.BRANDINGS_TASK,
            names_environment=False,
            is_technical=False,
            is_html=True,
        )


@tasks.periodic(REPORT, crontab(hour=9, minute=0, day_of_week="mon"), queue=queues.REPORTING)
def weekly_dwp_report(container: Container) -> None:
    """Add the results of the configured queries to a ticket (contract: workers 16)."""
    tickets = container.get(Tickets)
    if not tickets.has_zendesk:
        return
    report = alerts.read_report(container.parts.settings.zendesk_reporting.get(REPORT))
    if report is None:
        logger.warning("report not made: ZENDESK_REPORTING does not describe it", report=REPORT)
        return
    files = {
        name: container.get(Replica).read(partial(alerts.run_query, query=query))
        for name, query in report.queries.items()
    }
    tickets.update(
        report.ticket_id, "This week's report is attached.", files=files, due_at=utc_now() + alerts.REPORT_DUE
    )
