"""Celery tasks about unsubscribe requests: thin wrappers."""

from __future__ import annotations

import structlog
from celery.schedules import crontab

from notify import queues
from notify.infra.container import Container
from notify.infra.task_set import TaskSet
from notify.infra.times import utc_now
from notify.unsubscribes.actions import cache_keys
from notify.unsubscribes.maintenance import archive_requests

logger = structlog.get_logger(__name__)

tasks = TaskSet()


@tasks.periodic("archive-unsubscribe-requests", crontab(hour=0, minute=5), queue=queues.REPORTING)
def archive_unsubscribe_requests(container: Container) -> None:
    """Archive old unsubscribe requests (contract: workers 14)."""
    for service_ids in archive_requests(container.parts.database, utc_now()):
        container.parts.cache.delete(*(key for service_id in service_ids for key in cache_keys(service_id)))
        logger.info("unsubscribe requests archived", services=len(service_ids))
