"""Celery tasks about events: thin wrappers."""

from __future__ import annotations

import structlog
from celery.schedules import crontab

from notify.events.events import delete_old_events
from notify.infra.container import Container
from notify.infra.task_set import TaskSet
from notify.infra.times import utc_now

logger = structlog.get_logger(__name__)

tasks = TaskSet()


@tasks.periodic("delete-old-records-from-events-table", crontab(hour=3, minute=4))
def delete_old_records_from_events_table(container: Container) -> None:
    """Delete events older than 52 weeks (contract: workers 3)."""
    number = delete_old_events(container.parts.database, utc_now())
    if number:
        logger.info("events deleted", number=number)
