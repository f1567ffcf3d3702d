"""The Celery application that workers and beat run."""

from __future__ import annotations

from functools import partial

from celery import Celery

from notify.infra.parts import build_parts, configure_traces
from notify.infra.queue import end_hard, watch_tasks
from notify.infra.telemetry import configure_logs
from notify.messages import tasks
from notify.providers import tasks as provider_tasks
from notify.rooms import Rooms
from notify.settings import Settings


def create_celery(settings: Settings) -> Celery:
    """The application with its tasks and its schedule. Raises `SettingsError` where an address is missing."""
    configure_traces(settings)
    parts = build_parts(settings)
    rooms = Rooms(parts)
    celery = parts.queue.celery
    configure = partial(
        configure_logs,
        application=settings.notify_app_name,
        level=settings.notify_log_level,
        form=settings.notify_log_format,
    )
    configure()  # what is said before Celery has us do it
    watch_tasks(configure, settings.notification_queue_prefix)
    end_hard(settings.worker_stop_seconds)
    tasks.register(celery, parts, lambda: rooms.deliverer)
    tasks.register_receipts(celery, parts, lambda: rooms.email_receipts)
    provider_tasks.register(celery, parts)
    prefix = settings.notification_queue_prefix
    celery.conf.beat_schedule = {**tasks.schedule(prefix), **provider_tasks.schedule(prefix)}
    return celery
