"""Celery tasks about messages: thin wrappers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from celery.schedules import crontab

from notify import queues
from notify.infra.container import Container
from notify.infra.replica import Replica
from notify.infra.task_set import RUN_ONCE, Retry, TaskSet
from notify.infra.tickets import Tickets
from notify.infra.times import utc_now
from notify.messages import (
    archive_files,
    delivery_speed,
    failure_rates,
    idempotency,
    maintenance,
    metrics,
    retention,
    scheduled,
)
from notify.messages.callbacks import MessageCallbacks
from notify.messages.deep_archive import DeepArchive
from notify.messages.deliver import Deliverer
from notify.messages.maintenance import Sweeper
from notify.messages.partitions import BUSY, Partitions
from notify.messages.publish import DELIVER_EMAIL, DELIVER_SMS
from notify.messages.retention import Retention
from notify.messages.ses_events import PROCESS_SES_RESULT, SesEvents
from notify.messages.settings import DeepHistorySettings, DeliverySettings
from notify.providers.registry import configured_texts
from notify.providers.settings import TextProviderSettings
from notify.settings import Settings
from notify.webhooks.recorders import records_again

logger = structlog.get_logger(__name__)

tasks = TaskSet()

MOST_LOGGED: Final = 20


@tasks.task(DELIVER_SMS)
def deliver_sms(container: Container, notification_ids: str | Sequence[str], tries: int = 0, due: float = 0.0) -> None:
    """Send text messages: those whose next try is due, or is the one at `due` (seconds since 1970)."""
    container.get(Deliverer).deliver("sms", _ids(notification_ids), tries, due)


@tasks.task(DELIVER_EMAIL)
def deliver_email(
    container: Container, notification_ids: str | Sequence[str], tries: int = 0, due: float = 0.0
) -> None:
    """Send emails: those whose next try is due, or is the one at `due` (seconds since 1970)."""
    container.get(Deliverer).deliver("email", _ids(notification_ids), tries, due)


@tasks.task(PROCESS_SES_RESULT, retry=Retry(on=(Exception,), times=5, seconds=300))
def process_ses_result(
    container: Container, envelope: dict[str, Any], receipt_iso_timestamp: str | None = None
) -> None:
    """Apply an event of SES to its email."""
    del receipt_iso_timestamp
    container.get(SesEvents).take(envelope)


@records_again("delivery_status")
def _record_again(container: Container, notification_id: UUID) -> Collection[UUID]:
    return container.get(MessageCallbacks).record_again(notification_id)


def _sweep_interval(settings: Settings) -> timedelta:
    return timedelta(seconds=settings.part(DeliverySettings).sweep_every_seconds)


# after hours without workers, one sweep is enough
@tasks.periodic("sweep-created-notifications", _sweep_interval, expires=RUN_ONCE)
def sweep_created_notifications(container: Container) -> None:
    """Publish messages again that have waited too long."""
    settings = container.parts.settings.part(DeliverySettings)
    if interrupted := maintenance.count_interrupted(container.parts.database):
        logger.warning("workers died with messages in hand", number=interrupted)
    first, every = (
        timedelta(seconds=settings.sweep_after_seconds),
        timedelta(seconds=settings.sweep_every_seconds),
    )
    if number := container.get(Sweeper).sweep(now=utc_now(), first=first, every=every):
        logger.warning("messages published again", number=number)


@tasks.periodic("replay-created-notifications", crontab(minute="0,15,30,45"), expires=15 * 60)
def replay_created_notifications(container: Container) -> None:
    """Publish messages again that have waited for an hour to a week (contract: workers 3); end older ones."""
    if number := container.get(Sweeper).replay(now=utc_now()):
        logger.warning("messages published again", number=number)
    if ids := maintenance.end_forgotten(container.parts.database, now=utc_now()):
        logger.error("messages ended that were never handed over", number=len(ids), ids=ids[:MOST_LOGGED])


@tasks.periodic("timeout-sending-notifications", crontab(hour=0, minute=5))
def timeout_sending_notifications(container: Container) -> None:
    """End messages without a receipt (contract: workers 3)."""
    parts = container.parts
    after = timedelta(seconds=parts.settings.part(DeliverySettings).sending_notifications_timeout_period)
    ids = maintenance.time_out_sending(parts.database, container.get(MessageCallbacks), now=utc_now(), after=after)
    if ids:
        logger.info("messages timed out", number=len(ids))


@tasks.periodic("delete-notifications-older-than-retention", crontab(hour=3, minute=0), queue=queues.REPORTING)
def delete_notifications_older_than_retention(container: Container) -> None:
    """Start the nightly deletion of messages, once the night's facts exist (contract: workers 14.1)."""
    for task in retention.DELETE_OF_TYPE.values():
        container.parts.queue.publish(task, [], queue=queues.REPORTING)


def _delete_of_type(container: Container, notification_type: str) -> None:
    for services in container.get(Retention).due_services(notification_type, utc_now()):
        for place, service in enumerate(services):
            container.parts.queue.publish(
                retention.DELETE_FOR_SERVICE,
                [str(service.id), notification_type, service.before.isoformat()],
                queue=queues.REPORTING,
                countdown=retention.SPREAD_SECONDS * place / len(services),
                group=str(service.id),
            )


@tasks.task(retention.DELETE_OF_TYPE["email"])
def delete_email_notifications(container: Container) -> None:
    """The same for emails: a task for each service that has some."""
    _delete_of_type(container, "email")


@tasks.task(retention.DELETE_OF_TYPE["sms"])
def delete_sms_notifications(container: Container) -> None:
    """The same for text messages."""
    _delete_of_type(container, "sms")


@tasks.task(retention.DELETE_OF_TYPE["letter"])
def delete_letter_notifications(container: Container) -> None:
    """The same for letters."""
    _delete_of_type(container, "letter")


@tasks.task(retention.DELETE_FOR_SERVICE)
def delete_for_service(
    container: Container, service_id: str, notification_type: str, datetime_to_delete_before: str | datetime
) -> None:
    """Move a service's messages of a type to the history until none are left; then delete those of test keys."""
    before = _time(datetime_to_delete_before)
    moved = container.get(Retention).move(UUID(service_id), notification_type, before)
    if moved:
        logger.info("messages moved to history", service_id=service_id, type=notification_type, number=moved)
    task = retention.DELETE_FOR_SERVICE if moved else retention.DELETE_TEST_FOR_SERVICE
    arguments = [service_id, notification_type, before.isoformat()]
    container.parts.queue.publish(task, arguments, queue=queues.REPORTING, group=service_id)


@tasks.task(retention.DELETE_TEST_FOR_SERVICE)
def delete_test_for_service(
    container: Container, service_id: str, notification_type: str, datetime_to_delete_before: str | datetime
) -> None:
    """Delete a service's messages of test keys until none are left."""
    before = _time(datetime_to_delete_before)
    if number := container.get(Retention).delete_test(UUID(service_id), notification_type, before):
        logger.info("test messages deleted", service_id=service_id, type=notification_type, number=number)
        arguments = [service_id, notification_type, before.isoformat()]
        container.parts.queue.publish(
            retention.DELETE_TEST_FOR_SERVICE, arguments, queue=queues.REPORTING, group=service_id
        )


@tasks.periodic("deep-archive-notification-history-up-to-limit", crontab(hour=1, minute=35), queue=queues.REPORTING)
def deep_archive_notification_history(container: Container) -> None:
    """Move the oldest hours of the history to files (contract: workers 14.3)."""
    if not container.parts.settings.part(DeepHistorySettings).s3_bucket_notification_deep_history:
        return
    if not archive_files.can_write():
        logger.error("history not archived: the library pyarrow is missing")
        return
    number = container.get(DeepArchive).run(utc_now())
    logger.info("history archived", number=number)


# after a time without workers, one run is enough
@tasks.periodic("send-scheduled-notifications", scheduled.EVERY, expires=RUN_ONCE)
def send_scheduled_notifications(container: Container) -> None:
    """Publish due scheduled messages."""
    parts = container.parts
    if number := scheduled.send_due(parts.database, parts.queue, now=utc_now()):
        logger.info("scheduled messages published", number=number)


@tasks.periodic("delete-old-idempotency-keys", crontab(minute="*/10"), expires=600)
def delete_old_idempotency_keys(container: Container) -> None:
    """Delete answers to requests with idempotency keys that are a day old."""
    if number := idempotency.delete_old(container.parts.database, now=utc_now()):
        logger.info("idempotency keys deleted", number=number)


@tasks.periodic(
    "create-partitions",
    crontab(hour=2, minute=20),
    queue=queues.REPORTING,
    retry=Retry(on=BUSY, times=12, seconds=300, queue=queues.REPORTING),
)
def create_partitions(container: Container) -> None:
    """Create partitions of the history for coming months; drop old ones that are empty."""
    now, partitions = utc_now(), container.get(Partitions)
    if made := partitions.create(now):
        logger.info("partitions made", names=made)
    if dropped := partitions.drop_empty(now):
        logger.info("partitions dropped", names=dropped)


@tasks.periodic("switch-current-sms-provider-on-slow-delivery", crontab())
def switch_current_sms_provider_on_slow_delivery(container: Container) -> None:
    """Move traffic away from a provider of texts that delivers slowly (contract: workers 3)."""
    parts = container.parts
    if delivery_speed.shift_if_slow(parts.database, configured_texts(parts.settings), now=utc_now()):
        logger.warning("provider delivers slowly: traffic moved")


@tasks.periodic("generate-sms-delivery-stats", crontab())
def generate_sms_delivery_stats(container: Container) -> None:
    """Measure and log how fast texts are delivered; alert when they are slow (contract: workers 3)."""
    parts = container.parts
    speeds = delivery_speed.measure(parts.database, utc_now())
    for speed in speeds:
        shares = {seconds: round(speed.ratio(seconds), 4) for seconds in delivery_speed.LIMITS_SECONDS}
        for seconds, share in shares.items():
            metrics.not_delivered_within(
                speed.provider, seconds, round(delivery_speed.EVALUATED.total_seconds()), share
            )
        late = {f"late_{seconds}_s": share for seconds, share in shares.items()}
        logger.info("text delivery", provider=speed.provider, number=speed.number, **late)
    if parts.settings.part(TextProviderSettings).check_slow_text_message_delivery:
        delivery_speed.alert_if_slow(parts.cache, speeds)


@tasks.periodic(
    "check-for-services-with-high-failure-rates-or-sending-to-tv-numbers",
    crontab(hour=10, minute=30, day_of_week="mon-fri"),
)
def check_for_services_with_high_failure_rates(container: Container) -> None:
    """Report services whose texts fail too often or go to fictitious numbers (contract: workers 16)."""
    now = utc_now()
    suspects = container.get(Replica).read(lambda session: failure_rates.find_suspects(session, now))
    for suspect in suspects:
        logger.warning(
            "texts of service fail or go to numbers that nobody has",
            service_id=suspect.id,
            failed=suspect.failed,
            to_tv_numbers=suspect.to_tv_numbers,
        )
    if suspects:
        text = failure_rates.message(container.parts.settings.admin_base_url.rstrip("/"), suspects)
        container.get(Tickets).create(failure_rates.SUBJECT, text, kind="task", task_type=failure_rates.TASK_TYPE)


def _ids(given: str | Sequence[str]) -> list[UUID]:
    return [UUID(text) for text in ([given] if isinstance(given, str) else given)]


def _time(given: str | datetime) -> datetime:
    moment = given if isinstance(given, datetime) else datetime.fromisoformat(given)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
