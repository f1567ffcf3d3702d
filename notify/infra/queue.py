"""The task queues: publishing tasks by name. What the tasks do is not known here."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import structlog
from celery import Celery
from kombu.exceptions import OperationalError as BrokerError

logger = structlog.get_logger(__name__)


class Queue:
    """Publishes tasks by name, so that a lower room can wake a higher one without importing it."""

    def __init__(self, celery: Celery, prefix: str) -> None:
        self.celery = celery
        self._prefix = prefix

    def publish(self, task: str, args: Sequence[Any], *, queue: str, countdown: float | None = None) -> bool:
        """Put a task on a queue, to run after `countdown` seconds. False when the broker is down or takes nothing, its
        memory being full: the caller's work is in the database, and a sweeper publishes it again.
        """
        try:
            self.celery.send_task(
                task,
                args=list(args),
                queue=self._prefix + queue,
                countdown=countdown,
                ignore_result=True,
                headers=_request_headers(),
                retry=False,
            )
        except self._broker_errors as error:
            logger.warning("broker failed", task=task, queue=queue, error=type(error).__name__)
            return False
        return True

    @cached_property
    def _broker_errors(self) -> tuple[type[Exception], ...]:
        """What publishing may raise, by the kind of broker."""
        with self.celery.connection_for_write() as connection:  # which does not connect
            errors = (*connection.connection_errors, *connection.channel_errors)
        # among them are some as general as `KeyError`, which would hide our own mistakes
        return (BrokerError, OSError, *(error for error in errors if error.__module__ != "builtins"))

    def close(self) -> None:
        """Drop the connections to the broker."""
        self.celery.close()


def _request_headers() -> dict[str, str]:
    request_id = structlog.contextvars.get_contextvars().get("requestId")
    return {"notify_request_id": request_id} if request_id else {}


def create_celery(
    broker_url: str, *, prefix: str, queues: Sequence[str], timezone: str = "UTC", visibility_seconds: int = 3600
) -> Celery:
    """A Celery application without a result store. Tasks are acknowledged when they are done, so that a killed worker's
    tasks are run again by another; every task may therefore run twice.
    """
    from kombu.entity import Queue as KombuQueue

    celery = Celery("notify", broker=broker_url, set_as_current=False)
    celery.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_serializer="json",
        accept_content=["json"],
        task_create_missing_queues=True,
        task_queues=[KombuQueue(prefix + name) for name in queues],  # type: ignore[no-untyped-call]
        task_default_queue=prefix + queues[0],
        timezone=timezone,
        enable_utc=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "visibility_timeout": visibility_seconds,
            "socket_timeout": 10,
            "socket_connect_timeout": 5,
            "socket_keepalive": True,
            # of a publisher that meets a broker which is down: it is told so at once, and not after six seconds
            "max_retries": 1,
            "interval_start": 0.1,
            "socket_keepalive_options": _keepalive_options(),
        },
        broker_pool_limit=10,
        worker_enable_remote_control=False,
    )
    return celery


def _keepalive_options() -> dict[int, int]:
    """For sockets that wait for tasks: the usual two hours until a dead broker is noticed are too long."""
    wanted = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
    return {getattr(socket, name): value for name, value in wanted.items() if hasattr(socket, name)}


def log_tasks(configure: Callable[[], None]) -> None:
    """Have this process, a worker or beat, log as the rest does: `configure` sets up its output.

    Each line that a task logs bears the task's id and that of the request that published it; each task's end is a line.
    """
    from celery import signals

    began: dict[str, float] = {}

    def setup(**_signal: Any) -> None:
        configure()

    def started(task_id: str, task: Any, **_signal: Any) -> None:
        began[task_id] = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(task_id=task_id, task_name=task.name)
        if request_id := (task.request.headers or {}).get("notify_request_id"):
            structlog.contextvars.bind_contextvars(requestId=request_id)

    def ended(task_id: str, state: str | None = None, **_signal: Any) -> None:
        seconds = time.perf_counter() - began.pop(task_id, time.perf_counter())
        logger.info("task", state=(state or "UNKNOWN").lower(), task_time=round(seconds, 6))
        structlog.contextvars.clear_contextvars()

    signals.setup_logging.connect(setup, weak=False)
    signals.task_prerun.connect(started, weak=False)
    signals.task_postrun.connect(ended, weak=False)
    signals.worker_ready.connect(lambda **_signal: logger.info("worker ready"), weak=False)
    signals.worker_shutting_down.connect(lambda **_signal: logger.info("worker stopping"), weak=False)
    signals.beat_init.connect(lambda **_signal: logger.info("beat ready"), weak=False)
