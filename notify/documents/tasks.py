"""Celery tasks about documents: thin wrappers."""

from __future__ import annotations

import structlog
from celery.schedules import crontab

from notify.documents.store import DocumentStore
from notify.infra.container import Container
from notify.infra.task_set import TaskSet
from notify.infra.times import utc_now

logger = structlog.get_logger(__name__)

tasks = TaskSet()


@tasks.periodic("delete-expired-documents", crontab(hour=2, minute=30))
def delete_expired_documents(container: Container) -> None:
    """Delete files after their retention period."""
    number = container.get(DocumentStore).delete_expired(utc_now())
    if number:
        logger.info("documents deleted", number=number)
