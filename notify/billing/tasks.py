"""Celery tasks about money: thin wrappers."""

from __future__ import annotations

import structlog
from celery.schedules import crontab

from notify import queues
from notify.billing.allowances import financial_year, grant_missing
from notify.infra.container import Container
from notify.infra.task_set import TaskSet
from notify.infra.times import local_date, utc_now

logger = structlog.get_logger(__name__)

tasks = TaskSet()


@tasks.periodic(
    "run-populate-annual-billing", crontab(month_of_year=4, day_of_month=1, hour=2, minute=1), queue=queues.PERIODIC
)
def run_populate_annual_billing(container: Container) -> None:
    """Give active services their free fragments for the financial year that has begun (contract: workers 15.4)."""
    year = financial_year(local_date(utc_now()))
    number = sum(grant_missing(container.parts.database, year))
    logger.info("allowances granted", year=year, number=number)
