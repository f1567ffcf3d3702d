"""The task queues: publishing tasks by name. What the tasks do is not known here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
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
        """Put a task on a queue, to run after `countdown` seconds. False when the broker is down: the caller's work is
        in the database, and a sweeper publishes it again.
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
        except (BrokerError, OSError) as error:
            logger.warning("broker failed", task=task, queue=queue, error=type(error).__name__)
            return False
        return True

    def depths(self, queues: Sequence[str]) -> dict[str, int] | None:
        """How many tasks wait in each queue, or null when the broker does not answer. A queue that was never used is
        empty.
        """
        connection = self.celery.connection_for_read(connect_timeout=2)
        try:
            with connection:
                return {name: _depth(connection, self._prefix + name) for name in queues}
        except (BrokerError, OSError, *connection.connection_errors) as error:
            logger.warning("broker failed", operation="depths", error=type(error).__name__)
            return None

    def close(self) -> None:
        """Drop the connections to the broker."""
        self.celery.close()


def _depth(connection: Any, queue: str) -> int:
    try:
        with connection.channel() as channel:
            return int(channel.queue_declare(queue=queue, passive=True).message_count)
    except connection.channel_errors:  # there is no such queue yet
        return 0


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
        },
        broker_pool_limit=10,
        worker_enable_remote_control=False,
    )
    return celery


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
