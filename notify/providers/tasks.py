"""Celery tasks about providers: thin wrappers."""

from __future__ import annotations

import structlog
from celery.schedules import crontab

from notify.accounts.models import NOTIFY_USER_ID
from notify.infra.container import Container
from notify.infra.task_set import TaskSet
from notify.infra.times import utc_now
from notify.providers.actions import tend_back
from notify.providers.maintenance import delete_sandbox_messages
from notify.providers.registry import configured_texts
from notify.providers.settings import TextProviderSettings

logger = structlog.get_logger(__name__)

tasks = TaskSet()


@tasks.periodic("tend-providers-back-to-middle", crontab(minute="*/5"))
def tend_providers_back_to_middle(container: Container) -> None:
    """Move the providers' shares a step towards their resting points (contract: workers 3)."""
    parts = container.parts
    with parts.database.transaction() as session:
        is_changed = tend_back(
            session,
            parts.settings.part(TextProviderSettings).sms_provider_resting_points,
            configured_texts(parts.settings),
            changed_by=NOTIFY_USER_ID,
            now=utc_now(),
        )
    if is_changed:
        logger.info("providers moved towards their resting points")


@tasks.periodic("delete-sandbox-messages", crontab(hour=2, minute=45))
def delete_old_sandbox_messages(container: Container) -> None:
    """Delete messages of the sandbox after a week."""
    number = delete_sandbox_messages(container.parts.database, utc_now())
    if number:
        logger.info("messages of the sandbox deleted", number=number)
