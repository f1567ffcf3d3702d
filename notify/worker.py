"""The Celery application that workers and beat run."""

from __future__ import annotations

from functools import partial

from celery import Celery, signals

from notify.inbound import tasks as inbound
from notify.infra.parts import build_parts, configure_logs, configure_traces
from notify.infra.queue import end_hard, watch_tasks
from notify.messages import tasks
from notify.providers import tasks as provider_tasks
from notify.rooms import Rooms
from notify.settings import Settings
from notify.webhooks import tasks as callbacks


def create_celery(settings: Settings) -> Celery:
    """The application with its tasks and its schedule. Raises `SettingsError` where an address is missing."""
    configure_traces(settings)
    parts = build_parts(settings)
    rooms = Rooms(parts)
    celery = parts.queue.celery
    configure = partial(configure_logs, settings)
    configure()  # what is said before Celery has us do it
    watch_tasks(configure, settings.notification_queue_prefix)
    end_hard(settings.worker_stop_seconds)
    tasks.register(celery, parts, lambda: rooms.deliverer, lambda: rooms.message_callbacks)
    tasks.register_receipts(celery, parts, lambda: rooms.email_receipts)
    provider_tasks.register(celery, parts)
    inbound.register(celery, parts)
    callbacks.register(
        celery,
        parts,
        lambda: rooms.callback_sender,
        {
            "delivery_status": rooms.message_callbacks.record_again,
            "inbound_sms": rooms.text_receiver.record_again,
        },
    )
    # when every task is done: calls that no task waits for are finished, too
    signals.worker_shutdown.connect(lambda **_signal: rooms.close(), weak=False)
    prefix = settings.notification_queue_prefix
    celery.conf.beat_schedule = {
        **tasks.schedule(settings),
        **provider_tasks.schedule(prefix),
        **inbound.schedule(prefix),
        **callbacks.schedule(prefix),
    }
    return celery
