"""Celery tasks about received texts: thin."""

from __future__ import annotations

from typing import Any

import structlog
from celery import Celery
from celery.schedules import crontab

from notify import queues
from notify.inbound import maintenance
from notify.infra.parts import Parts
from notify.infra.times import utc_now

logger = structlog.get_logger(__name__)


def register(celery: Celery, parts: Parts) -> None:
    """Make the tasks known to the application."""

    @celery.task(name="delete-inbound-sms")
    def delete_inbound_sms() -> None:
        number = maintenance.delete_received_texts(parts.database, utc_now())
        if number:
            logger.info("received texts deleted", number=number)


def schedule(prefix: str) -> dict[str, Any]:
    """When beat publishes the periodic tasks (contract: workers 3)."""
    return {
        "delete-inbound-sms": {
            "task": "delete-inbound-sms",
            "schedule": crontab(hour=1, minute=40),
            "options": {"queue": prefix + queues.PERIODIC},
        }
    }
