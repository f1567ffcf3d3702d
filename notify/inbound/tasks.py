"""Celery tasks about received texts: thin wrappers."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

import structlog
from celery.schedules import crontab

from notify.inbound import maintenance
from notify.inbound.actions import TextReceiver
from notify.infra.container import Container
from notify.infra.task_set import TaskSet
from notify.infra.times import utc_now
from notify.webhooks.recorders import records_again

logger = structlog.get_logger(__name__)

tasks = TaskSet()


@tasks.periodic("delete-inbound-sms", crontab(hour=1, minute=40))
def delete_inbound_sms(container: Container) -> None:
    """Delete received texts after their retention period."""
    number = maintenance.delete_received_texts(container.parts.database, utc_now())
    if number:
        logger.info("received texts deleted", number=number)


@records_again("inbound_sms")
def _record_again(container: Container, subject_id: UUID) -> Collection[UUID]:
    return container.get(TextReceiver).record_again(subject_id)
