"""The Celery application that workers and beat run: every room's tasks, and the schedule."""

from __future__ import annotations

from functools import partial

from celery import Celery, signals

from notify.infra.container import Container
from notify.infra.garbage import settle_garbage_collector
from notify.infra.parts import build_parts, configure_logs, configure_traces
from notify.infra.queue import end_hard, watch_tasks
from notify.infra.task_set import TaskSet
from notify.rooms import load
from notify.settings import Settings


def create_celery(settings: Settings) -> Celery:
    """The application with its tasks and its schedule. Raises `SettingsError` where an address is missing."""
    configure_traces(settings)
    container = Container(build_parts(settings))
    celery: Celery = container.parts.queue.celery
    configure = partial(configure_logs, settings)
    configure()  # Celery's own hook comes later
    watch_tasks(configure, settings.notification_queue_prefix)
    end_hard(settings.worker_stop_seconds)
    for module in load("tasks"):
        tasks: TaskSet = module.tasks
        tasks.add_to(celery, container)
    signals.worker_ready.connect(lambda **_signal: settle_garbage_collector(), weak=False)
    # runs after the last task, so that background work which no task waits for is finished too
    signals.worker_shutdown.connect(lambda **_signal: container.close(), weak=False)
    return celery
