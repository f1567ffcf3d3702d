"""Celery tasks about messages: thin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import structlog
from celery import Celery
from celery.schedules import crontab

from notify import queues
from notify.documents.store import DocumentStore
from notify.infra import metrics
from notify.infra.parts import Parts
from notify.infra.times import utc_now
from notify.messages import delivery_speed, maintenance
from notify.messages.ses_events import PROCESS_SES_RESULT
from notify.providers.registry import configured_texts
from notify.settings import Settings

if TYPE_CHECKING:
    from celery import Task

    from notify.messages.callbacks import MessageCallbacks
    from notify.messages.deliver import Deliverer
    from notify.messages.ses_events import SesEvents

logger = structlog.get_logger(__name__)


RECEIPT_RETRIES: Final = 5
RECEIPT_RETRY_SECONDS: Final = 300


def register(
    celery: Celery, parts: Parts, deliverer: Callable[[], Deliverer], callbacks: Callable[[], MessageCallbacks]
) -> None:
    """Make the tasks known to the application. The process's own objects are made when they are first needed."""
    settings = parts.settings

    @celery.task(name="deliver_sms")
    def deliver_sms(notification_ids: str | Sequence[str], attempt: int = 0, waited: float = 0.0) -> None:
        deliverer().deliver("sms", _ids(notification_ids), attempt, waited)

    @celery.task(name="deliver_email")
    def deliver_email(notification_ids: str | Sequence[str], attempt: int = 0, waited: float = 0.0) -> None:
        deliverer().deliver("email", _ids(notification_ids), attempt, waited)

    sweeper = maintenance.Sweeper(parts.database, parts.queue, retry=timedelta(seconds=settings.delivery_retry_seconds))

    @celery.task(name="sweep-created-notifications")
    def sweep_created_notifications() -> None:
        first, every = timedelta(seconds=settings.sweep_after_seconds), timedelta(seconds=settings.sweep_every_seconds)
        if number := sweeper.sweep(now=utc_now(), first=first, every=every):
            logger.warning("messages published again", number=number)

    @celery.task(name="replay-created-notifications")
    def replay_created_notifications() -> None:
        if number := sweeper.replay(now=utc_now()):
            logger.warning("messages published again", number=number)

    @celery.task(name="timeout-sending-notifications")
    def timeout_sending_notifications() -> None:
        after = timedelta(seconds=settings.sending_notifications_timeout_period)
        ids = maintenance.time_out_sending(parts.database, callbacks(), now=utc_now(), after=after)
        if ids:
            logger.info("messages timed out", number=len(ids))

    @celery.task(name="switch-current-sms-provider-on-slow-delivery")
    def switch_current_sms_provider_on_slow_delivery() -> None:
        if delivery_speed.shift_if_slow(parts.database, configured_texts(settings), now=utc_now()):
            logger.warning("provider delivers slowly: traffic moved")

    @celery.task(name="generate-sms-delivery-stats")
    def generate_sms_delivery_stats() -> None:
        speeds = delivery_speed.measure(parts.database, utc_now())
        for speed in speeds:
            shares = {seconds: round(speed.ratio(seconds), 4) for seconds in delivery_speed.LIMITS_SECONDS}
            for seconds, share in shares.items():
                metrics.not_delivered_within(
                    speed.provider, seconds, round(delivery_speed.EVALUATED.total_seconds()), share
                )
            late = {f"late_{seconds}_s": share for seconds, share in shares.items()}
            logger.info("text delivery", provider=speed.provider, number=speed.number, **late)
        if settings.check_slow_text_message_delivery:
            delivery_speed.alert_if_slow(parts.cache, speeds)

    @celery.task(name="delete-expired-documents")
    def delete_expired_documents() -> None:
        store = DocumentStore(settings, parts.database, parts.objects)
        number = store.delete_expired(utc_now())
        if number:
            logger.info("documents deleted", number=number)


def register_receipts(celery: Celery, parts: Parts, email_receipts: Callable[[], SesEvents]) -> None:
    """As `register`: the tasks that take receipts from a queue."""
    queue = parts.settings.notification_queue_prefix + queues.RETRY

    @celery.task(name=PROCESS_SES_RESULT, bind=True, max_retries=RECEIPT_RETRIES)
    def process_ses_result(self: Task, envelope: dict[str, Any], receipt_iso_timestamp: str | None = None) -> None:
        try:
            email_receipts().take(envelope)
        except Exception as error:
            raise self.retry(exc=error, countdown=RECEIPT_RETRY_SECONDS, queue=queue) from None


def schedule(settings: Settings) -> dict[str, Any]:
    """When beat publishes the periodic tasks (contract: workers 3)."""
    options = {"queue": settings.notification_queue_prefix + queues.PERIODIC}
    return {
        "sweep-created-notifications": {
            "task": "sweep-created-notifications",
            "schedule": timedelta(seconds=settings.sweep_every_seconds),
            # when workers were away for hours, one sweep will do
            "options": {**options, "expires": settings.sweep_every_seconds},
        },
        "replay-created-notifications": {
            "task": "replay-created-notifications",
            "schedule": crontab(minute="0,15,30,45"),
            "options": {**options, "expires": 15 * 60},
        },
        "timeout-sending-notifications": {
            "task": "timeout-sending-notifications",
            "schedule": crontab(hour=0, minute=5),
            "options": options,
        },
        "switch-current-sms-provider-on-slow-delivery": {
            "task": "switch-current-sms-provider-on-slow-delivery",
            "schedule": crontab(),
            "options": options,
        },
        "generate-sms-delivery-stats": {
            "task": "generate-sms-delivery-stats",
            "schedule": crontab(),
            "options": options,
        },
        "delete-expired-documents": {
            "task": "delete-expired-documents",
            "schedule": crontab(hour=2, minute=30),
            "options": options,
        },
    }


def _ids(given: str | Sequence[str]) -> list[UUID]:
    return [UUID(text) for text in ([given] if isinstance(given, str) else given)]
