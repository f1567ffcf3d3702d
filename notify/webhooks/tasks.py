"""Celery tasks about callbacks: thin."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import structlog
from celery import Celery

from notify import queues
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.services.models import CallbackType
from notify.webhooks.outbox import TASKS, sweep

if TYPE_CHECKING:
    from notify.webhooks.sender import CallbackSender

logger = structlog.get_logger(__name__)

SWEEP_INTERVAL: Final = timedelta(minutes=1)

Finder = Callable[[UUID], Collection[UUID]]
"""Records the callback of one subject once more, from what the database says of it now; gives the services to wake."""


def register(
    celery: Celery, parts: Parts, sender: Callable[[], CallbackSender], finders: Mapping[CallbackType, Finder]
) -> None:
    """Make the tasks known to the application. `sender` gives the process's own, made when it is first needed.
    `finders` says how to tell a service of one subject again, where there is a way.
    """

    def add(callback_type: CallbackType) -> None:
        @celery.task(name=TASKS[callback_type])
        def send(
            subject_id: str | None = None, service_id: str | None = None, receipt_iso_timestamp: str | None = None
        ) -> None:
            """Tell a service all that waits for it; or of one subject, which the contract's form of these tasks names
            first. What comes with it there (the signed data) is in our database.
            """
            del receipt_iso_timestamp
            if subject_id is not None and callback_type in finders:
                services = finders[callback_type](UUID(subject_id))
            else:
                services = [UUID(service_id)]
            for service in services:
                sender().wake(callback_type, service)

    for callback_type in TASKS:
        add(callback_type)

    @celery.task(name="replay-pending-callbacks")
    def replay_pending_callbacks() -> None:
        expiry = timedelta(seconds=parts.settings.callback_expiry_seconds)
        number = sweep(parts.database, parts.queue, now=utc_now(), expiry=expiry)
        if number:
            logger.warning("callbacks published again", number=number)


def schedule(prefix: str) -> dict[str, Any]:
    """When beat publishes the periodic tasks."""
    return {
        "replay-pending-callbacks": {
            "task": "replay-pending-callbacks",
            "schedule": SWEEP_INTERVAL,
            "options": {"queue": prefix + queues.PERIODIC},
        }
    }
