"""Celery tasks about teams: thin wrappers."""

from __future__ import annotations

from datetime import timedelta

import structlog

from notify.infra.container import Container
from notify.infra.task_set import TaskSet
from notify.infra.times import utc_now
from notify.teams import maintenance

logger = structlog.get_logger(__name__)

tasks = TaskSet()


@tasks.periodic("delete-invitations", timedelta(minutes=66))
def delete_invitations(container: Container) -> None:
    """Delete expired invitations."""
    number = maintenance.delete_old_invitations(container.parts.database, utc_now())
    if number:
        logger.info("invitations deleted", number=number)
