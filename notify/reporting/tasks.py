"""Celery tasks that make facts: thin."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final
from uuid import UUID

import structlog
from celery.schedules import crontab
from sqlalchemy.exc import DBAPIError

from notify import queues
from notify.billing.organisation_usage import UPDATED_AT_KEY
from notify.infra.container import Container
from notify.infra.task_set import Retry, TaskSet
from notify.infra.times import local_date, utc_now
from notify.reporting.billing_facts import store_billing_of_day
from notify.reporting.despatch_facts import store_despatch
from notify.reporting.processing_time import store_processing_time
from notify.reporting.publish import BILLING_OF_DAY, DESPATCH_OF_DAY, STATUSES_OF_DAY
from notify.reporting.status_facts import DAYS_BACK, store_statuses_of_day

logger = structlog.get_logger(__name__)

tasks = TaskSet()

BILLED_DAYS: Final = 10
"""Days before today to bill again each night, because of returned letters and late receipts."""
STAGGER_SECONDS: Final = 300
NOTED_SECONDS: Final = 30 * 86_400

# after a deadlock, or if the database is briefly unreachable
_AGAIN: Final = Retry(on=(DBAPIError,), times=5, seconds=300)


@tasks.periodic("create-nightly-billing", crontab(hour=0, minute=15), queue=queues.REPORTING)
def create_nightly_billing(
    container: Container,
    day_start: str | None = None,
    n_days: int = BILLED_DAYS,
    stagger_total_period_seconds: int = STAGGER_SECONDS,
) -> None:
    """Publish the billing of the last days, the newest first (contract: workers 15)."""
    newest = date.fromisoformat(day_start) if day_start else local_date(utc_now()) - timedelta(days=1)
    queue = container.parts.queue
    for number in range(n_days):
        arguments = [str(newest - timedelta(days=number))]
        later = number * stagger_total_period_seconds / n_days
        queue.publish(BILLING_OF_DAY, arguments, queue=queues.REPORTING, countdown=later)
        queue.publish(DESPATCH_OF_DAY, arguments, queue=queues.REPORTING, countdown=later)


@tasks.task(BILLING_OF_DAY, retry=_AGAIN)
def create_or_update_ft_billing_for_day(container: Container, process_day: str) -> None:
    """Make the billing facts of a local day."""
    number = sum(store_billing_of_day(container.parts.database, date.fromisoformat(process_day)))
    logger.info("facts of billing made", day=process_day, number=number)


@tasks.task(DESPATCH_OF_DAY, retry=_AGAIN)
def create_or_update_ft_billing_letter_despatch_for_day(container: Container, process_day: str) -> None:
    """Make the facts of letters handed to the postal service on a day."""
    with container.parts.database.transaction() as session:
        number = store_despatch(session, date.fromisoformat(process_day))
    logger.info("facts of despatched letters made", day=process_day, number=number)


@tasks.periodic("update-ft-billing-for-today", crontab(minute=0), queue=queues.REPORTING, expires=3600)
def update_ft_billing_for_today(container: Container) -> None:
    """Make the billing facts of today up to now, and store the time."""
    parts, now = container.parts, utc_now()
    number = sum(store_billing_of_day(parts.database, local_date(now)))
    parts.cache.set(UPDATED_AT_KEY, now.isoformat(), seconds=NOTED_SECONDS)
    logger.info("facts of billing made", day=str(local_date(now)), number=number)


@tasks.periodic("create-nightly-notification-status", crontab(hour=0, minute=30), queue=queues.REPORTING)
def create_nightly_notification_status(container: Container) -> None:
    """Publish tasks that count the statuses of the last days, more of them for letters (contract: workers 15.3)."""
    today = local_date(utc_now())
    for notification_type, days in DAYS_BACK.items():
        for number in range(1, days + 1):
            arguments = [str(today - timedelta(days=number)), notification_type]
            container.parts.queue.publish(STATUSES_OF_DAY, arguments, queue=queues.REPORTING)


@tasks.task(STATUSES_OF_DAY, retry=_AGAIN)
def create_nightly_notification_status_for_service_and_day(
    container: Container, process_day: str, notification_type: str, service_id: str | None = None
) -> None:
    """Count the statuses of a type of message on a local day, for one service or for all in chunks."""
    day, only = date.fromisoformat(process_day), UUID(service_id) if service_id else None
    number = sum(store_statuses_of_day(container.parts.database, day, notification_type, service_id=only))
    logger.info("facts of statuses made", day=process_day, notification_type=notification_type, number=number)


@tasks.periodic("save-daily-notification-processing-time", crontab(hour=2, minute=0))
def save_daily_notification_processing_time(container: Container, bst_date: str | None = None) -> None:
    """Store how quickly the messages of a day (by default yesterday) were handed to providers."""
    day = date.fromisoformat(bst_date) if bst_date else utc_now().date() - timedelta(days=1)
    store_processing_time(container.parts.database, day)
