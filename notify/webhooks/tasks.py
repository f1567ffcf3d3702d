"""Celery tasks about callbacks: thin wrappers."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from notify.infra.container import Container
from notify.infra.task_set import TaskSet
from notify.infra.times import utc_now
from notify.vocabulary import CallbackType
from notify.webhooks.outbox import (
    SEND_COMPLAINT,
    SEND_DELIVERY_STATUS,
    SEND_INBOUND_SMS,
    SEND_RETURNED_LETTER,
    sweep,
)
from notify.webhooks.recorders import recorders
from notify.webhooks.sender import CallbackSender
from notify.webhooks.settings import CallbackSettings

logger = structlog.get_logger(__name__)

tasks = TaskSet()

SWEEP_INTERVAL: Final = timedelta(minutes=1)


@tasks.task(SEND_COMPLAINT)
def send_complaint(
    container: Container,
    subject_id: str | None = None,
    service_id: str | None = None,
    receipt_iso_timestamp: str | None = None,
) -> None:
    """Send a service its pending complaints."""
    del receipt_iso_timestamp
    _send(container, "complaint", subject_id, service_id)


@tasks.task(SEND_DELIVERY_STATUS)
def send_delivery_status(
    container: Container,
    subject_id: str | None = None,
    service_id: str | None = None,
    receipt_iso_timestamp: str | None = None,
) -> None:
    """Send a service its pending delivery statuses, or that of one message."""
    del receipt_iso_timestamp
    _send(container, "delivery_status", subject_id, service_id)


@tasks.task(SEND_INBOUND_SMS)
def send_inbound_sms(
    container: Container,
    subject_id: str | None = None,
    service_id: str | None = None,
    receipt_iso_timestamp: str | None = None,
) -> None:
    """Send a service its pending received texts, or one of them."""
    del receipt_iso_timestamp
    _send(container, "inbound_sms", subject_id, service_id)


@tasks.task(SEND_RETURNED_LETTER)
def send_returned_letter(
    container: Container,
    subject_id: str | None = None,
    service_id: str | None = None,
    receipt_iso_timestamp: str | None = None,
) -> None:
    """Send a service its pending returned letters."""
    del receipt_iso_timestamp
    _send(container, "returned_letter", subject_id, service_id)


def _send(container: Container, callback_type: CallbackType, subject_id: str | None, service_id: str | None) -> None:
    # The contract's form of these tasks starts with the subject (workers 4.2). The signed data that follows it there is
    # not needed: it is in our database.
    services: Collection[UUID] = ()
    if callback_type in recorders and (subject := _parse(subject_id)) is not None:
        services = recorders[callback_type](container, subject)
    elif (service := _parse(service_id)) is not None:
        services = [service]
    else:
        # only signed data: a task for the original's workers, if they share our queue
        logger.error("callback task names no service: dropped", callback_type=callback_type)
    for service in services:
        container.get(CallbackSender).wake(callback_type, service)


def _parse(text: object) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None


@tasks.periodic("replay-pending-callbacks", SWEEP_INTERVAL)
def replay_pending_callbacks(container: Container) -> None:
    """Publish the tasks of callbacks again if they were lost."""
    parts = container.parts
    expiry = timedelta(seconds=parts.settings.part(CallbackSettings).callback_expiry_seconds)
    number = sweep(parts.database, parts.queue, now=utc_now(), expiry=expiry)
    if number:
        logger.warning("callbacks published again", number=number)
