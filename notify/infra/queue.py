"""The task queues: publishes tasks by name, without knowing what they do."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any, NamedTuple, NewType

import structlog
from celery import Celery, signals

from notify.infra import tracing
from notify.infra.broker import PUBLISHED_HEADER, SQS_LONGEST_DELAY, BrokerSettings, BrokerStates, QueueState
from notify.infra.telemetry import flush_logs

TaskName = NewType("TaskName", str)
"""The name of a task that is published: a constant of the room that publishes it."""

logger = structlog.get_logger(__name__)

GROUP_HEADER = "notify_message_group_id"
GIVE_BACK_SECONDS = 2.0


class Queue:
    """Publishes tasks by name, so that a lower room can wake a higher one without importing it."""

    def __init__(self, celery: Celery, prefix: str, broker: BrokerSettings, *, groups: bool = True) -> None:
        """With `groups`, tasks on SQS carry the group they are published for."""
        self.celery = celery
        self._prefix = prefix
        self._broker = broker
        self._states = BrokerStates(celery, broker)
        self.has_groups = groups and broker.is_sqs
        """Whether tasks should be published for each group separately."""

    def publish(
        self,
        task: TaskName,
        args: Sequence[Any],
        *,
        queue: str,
        countdown: float | None = None,
        group: str | None = None,
    ) -> bool:
        """Put a task on a queue, to run after `countdown` seconds. False if the broker is down, or refuses because its
        memory is full: the caller's work is in the database, and a sweeper publishes it again. `group` is the id of the
        task's service, if any: SQS shares a queue fairly between groups (contract: workers 1).
        """
        headers = _request_headers() | tracing.task_headers(args)
        properties: dict[str, Any] = {}
        if countdown and self._broker.is_sqs:
            # let SQS keep the task: a worker that held it would hide it from the others
            properties["DelaySeconds"] = min(int(countdown), SQS_LONGEST_DELAY)
        if group and self.has_groups:
            properties["MessageGroupId"] = headers[GROUP_HEADER] = group
        try:
            self.celery.send_task(
                task,
                args=list(args),
                queue=self._prefix + queue,
                countdown=countdown,
                ignore_result=True,
                headers=headers,
                retry=False,
                **properties,
            )
        except self._broker.errors as error:
            logger.warning("broker failed", task=task, queue=queue, error=type(error).__name__)
            return False
        return True

    def states(self, names: Sequence[str]) -> dict[str, QueueState] | None:
        """The state of each of these queues, or None if the broker is down."""
        try:
            found = self._states.look([self._prefix + name for name in names])
        except self._broker.errors as error:
            logger.warning("broker failed", error=type(error).__name__)
            return None
        return {name: found[self._prefix + name] for name in names}

    def kept_by_workers(self) -> int | None:
        """The number of tasks that workers hold, running or not yet due; None if the broker is down or cannot tell."""
        try:
            return self._states.kept()
        except self._broker.errors:
            return None

    def is_ready(self, name: str) -> bool:
        """Whether the broker answers a query about this queue."""
        try:
            self._states.check(self._prefix + name)
        except self._broker.errors:
            return False
        return True

    def close(self) -> None:
        """Close the connections to the broker."""
        self._states.close()
        self.celery.close()


def _request_headers() -> dict[str, Any]:
    request_id = structlog.contextvars.get_contextvars().get("requestId")
    return {"notify_request_id": request_id} if request_id else {}


def _note_time(headers: dict[str, Any] | None = None, **_signal: Any) -> None:
    """Add the time of publishing to a task's headers."""
    if headers is not None:
        headers.setdefault(PUBLISHED_HEADER, time.time())


class _Application(Celery):  # type: ignore[misc]
    """Celery shares every task between all applications of a process; here each has its own."""

    def task(self, *args: Any, **options: Any) -> Any:
        """As Celery's."""
        return super().task(*args, **{"shared": False, **options})


def create_celery(broker: BrokerSettings, *, prefix: str, queues: Sequence[str], timezone: str = "UTC") -> Celery:
    """A Celery application without a result store. Tasks are acknowledged when they have ended, so that another worker
    runs the tasks of a killed one; every task may therefore run twice.
    """
    from kombu.entity import Exchange
    from kombu.entity import Queue as KombuQueue

    names = [prefix + name for name in queues]

    # without the one for Django, which would load the worker into every process that publishes
    celery = _Application("notify", broker=broker.url, set_as_current=False, fixups=())
    celery.conf.update(
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_serializer="json",
        accept_content=["json"],
        task_create_missing_queues=True,
        # by default, Celery would bind them all to the default queue's key
        task_queues=[KombuQueue(name, Exchange(name), routing_key=name) for name in names],  # type: ignore[no-untyped-call]
        task_default_queue=names[0],
        timezone=timezone,
        enable_utc=True,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=dict(broker.transport_options),
        broker_pool_limit=10,
        worker_enable_remote_control=False,
        beat_schedule={},
    )
    signals.before_task_publish.connect(_note_time, weak=False, dispatch_uid="notify-published-at")
    return celery


class _Running(NamedTuple):
    """A running task of this process."""

    began: float
    cpu_began: float
    queue: str
    span: AbstractContextManager[Any]


def watch_tasks(configure: Callable[[], None], prefix: str) -> None:
    """Make this process (a worker or beat) log, count and trace like the others. `configure` sets up its logs.

    Each line that a task logs carries the task's id and that of the request that published it. Each task's end is a
    line.
    """
    from notify.infra import metrics

    running: dict[str, _Running] = {}

    def setup(**_signal: Any) -> None:
        configure()

    def started(task_id: str, task: Any, **_signal: Any) -> None:
        headers = task.request.headers or {}
        queue = ((task.request.delivery_info or {}).get("routing_key") or "none").removeprefix(prefix)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(
            task_id=task_id,
            task_name=task.name,
            queue_name=queue,
            requestId=headers.get("notify_request_id") or task_id,
        )
        metrics.task_began(queue, _waited(headers.get(PUBLISHED_HEADER), task.request.eta))
        span = tracing.task_span(task.name, headers)
        span.__enter__()
        running[task_id] = _Running(time.perf_counter(), time.thread_time(), queue, span)

    def ended(task_id: str, task: Any, state: str | None = None, **_signal: Any) -> None:
        task_ = running.pop(task_id, None)
        if task_ is None:
            return
        seconds, cpu_seconds = time.perf_counter() - task_.began, time.thread_time() - task_.cpu_began
        status = (state or "UNKNOWN").lower()
        metrics.task_ended(task.name, status, task_.queue, seconds, cpu_seconds)
        logger.info("task", state=status, task_time=round(seconds, 6))
        task_.span.__exit__(None, None, None)
        structlog.contextvars.clear_contextvars()

    signals.setup_logging.connect(setup, weak=False)
    signals.task_prerun.connect(started, weak=False)
    signals.task_postrun.connect(ended, weak=False)
    signals.worker_ready.connect(lambda **_signal: logger.info("worker ready"), weak=False)
    signals.worker_shutting_down.connect(lambda **_signal: logger.info("worker stopping"), weak=False)
    signals.beat_init.connect(lambda **_signal: logger.info("beat ready"), weak=False)


def _waited(published_at: object, eta: object) -> float | None:
    if not isinstance(published_at, float | int):
        return None
    due = float(published_at)
    if isinstance(eta, str):
        try:
            moment = datetime.fromisoformat(eta)
        except ValueError:
            return None
        due = max(due, moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())
    return time.time() - due


def end_hard(seconds: float) -> None:
    """Make a worker that was asked to stop end after `seconds`, even with running tasks. These are not acknowledged, so
    they run again elsewhere.
    """

    def wait_and_end() -> None:
        time.sleep(seconds)
        logger.warning("worker ends with tasks under way")
        if consumers:
            # RabbitMQ sees the connection break and redelivers the tasks; other brokers do not notice
            giver = threading.Thread(target=_give_back, args=(consumers[-1],), daemon=True)
            giver.start()
            giver.join(GIVE_BACK_SECONDS)
        flush_logs()
        os._exit(1)

    consumers: list[Any] = []
    signals.worker_ready.connect(lambda sender, **_signal: consumers.append(sender), weak=False)

    def stopping(**_signal: Any) -> None:
        threading.Thread(target=wait_and_end, name="end-hard", daemon=True).start()

    signals.worker_shutting_down.connect(stopping, weak=False)


def _give_back(consumer: Any) -> None:
    qos: Any = getattr(getattr(consumer.task_consumer, "channel", None), "qos", None)
    if hasattr(qos, "restore_unacked_once"):
        qos.restore_unacked_once()
