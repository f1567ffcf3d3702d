"""Celery tasks about providers: thin."""

from __future__ import annotations

from typing import Any

import structlog
from celery import Celery
from celery.schedules import crontab

from notify import queues
from notify.accounts.models import NOTIFY_USER_ID
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.providers.actions import tend_back
from notify.providers.registry import configured_texts

logger = structlog.get_logger(__name__)


def register(celery: Celery, parts: Parts) -> None:
    """Make the tasks known to the application."""
    settings = parts.settings

    @celery.task(name="tend-providers-back-to-middle")
    def tend_providers_back_to_middle() -> None:
        with parts.database.transaction() as session:
            is_changed = tend_back(
                session,
                settings.sms_provider_resting_points,
                configured_texts(settings),
                changed_by=NOTIFY_USER_ID,
                now=utc_now(),
            )
        if is_changed:
            logger.info("providers moved towards their resting points")


def schedule(prefix: str) -> dict[str, Any]:
    """When beat publishes the periodic tasks (contract: workers 3)."""
    return {
        "tend-providers-back-to-middle": {
            "task": "tend-providers-back-to-middle",
            "schedule": crontab(minute="*/5"),
            "options": {"queue": prefix + queues.PERIODIC},
        }
    }
