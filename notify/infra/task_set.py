"""Declares Celery tasks as plain functions, with name, retry and schedule next to the code.

    tasks = TaskSet()

    @tasks.task(PROCESS_JOB, retry=Retry(on=(OperationalError,), times=5, seconds=300))
    def process_job(container: Container, job_id: str) -> None: ...

    @tasks.periodic("check-job-status", crontab(), expires=60)
    def check_job_status(container: Container) -> None: ...

Functions stay importable; tests call them with a container. `add_to` registers them with a Celery application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Concatenate, Final, ParamSpec, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

from celery import Celery
from celery.schedules import crontab

from notify import queues
from notify.infra.container import Container
from notify.infra.queue import TaskName
from notify.infra.times import LONDON
from notify.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")
Function = Callable[Concatenate[Container, P], R]
Schedule: TypeAlias = timedelta | crontab | Callable[[Settings], timedelta | None]

RUN_ONCE: Final = -1.0
"""`expires=RUN_ONCE`: a run that has not begun when the next one is due is dropped."""


@dataclass(frozen=True)
class Retry:
    """Run a failed task again: on these errors, at most `times` more, `seconds` apart (a number, or a function of the
    settings), from `queue`.

    `given_up` is called with the task's arguments after the last attempt failed; without it the error is raised.
    """

    on: tuple[type[Exception], ...]
    times: int
    seconds: float | Callable[[Settings], float]
    given_up: Callable[..., None] | None = None
    queue: str = queues.RETRY


@dataclass(frozen=True)
class Periodic:
    """When beat publishes a task, to which queue, with which arguments, and after how many seconds to drop a run that
    has not begun.
    """

    schedule: Schedule
    queue: str
    expires: float | None
    kwargs: Mapping[str, Any]

    def entry(self, name: str, settings: Settings) -> dict[str, Any] | None:
        """The entry of Celery's `beat_schedule`; None if these settings do not need the task."""
        schedule = self.schedule(settings) if callable(self.schedule) else self.schedule
        if schedule is None:
            return None
        options: dict[str, Any] = {"queue": settings.notification_queue_prefix + self.queue}
        if self.expires == RUN_ONCE and isinstance(schedule, timedelta):
            options["expires"] = schedule.total_seconds()
        elif self.expires is not None:
            options["expires"] = self.expires
        entry = {"task": name, "schedule": schedule, "options": options}
        return {**entry, "kwargs": dict(self.kwargs)} if self.kwargs else entry


@dataclass(frozen=True)
class DeclaredTask:
    """A task: its name, its function, its retry and its schedule."""

    name: str
    function: Callable[..., Any]
    retry: Retry | None = None
    periodic: Periodic | None = None


class LondonCrontab(crontab):  # type: ignore[misc]
    """A `crontab` in London's local time, summer time included."""

    @property
    def tz(self) -> ZoneInfo:
        """The time zone."""
        return LONDON


class TaskSet:
    """The tasks of a room, in its `tasks.py`."""

    def __init__(self) -> None:
        self._tasks: dict[str, DeclaredTask] = {}

    def __iter__(self) -> Iterator[DeclaredTask]:
        return iter(self._tasks.values())

    def task(self, name: TaskName, *, retry: Retry | None = None) -> Callable[[Function[P, R]], Function[P, R]]:
        """Declare a task that is published by name. Its function takes the container, then the message's arguments."""

        def declare(function: Function[P, R]) -> Function[P, R]:
            self._add(DeclaredTask(name, function, retry))
            return function

        return declare

    def periodic(
        self,
        name: str,
        schedule: Schedule,
        *,
        queue: str = queues.PERIODIC,
        expires: float | None = None,
        retry: Retry | None = None,
        **kwargs: Any,
    ) -> Callable[[Function[P, None]], Function[P, None]]:
        """Declare a task that beat publishes. A schedule may be a function of the settings, which may return None.
        Times are UTC, except for a `LondonCrontab`.

        `expires` is in seconds; `RUN_ONCE` stands for the length of an interval. `kwargs` go to the function.
        """

        def declare(function: Function[P, None]) -> Function[P, None]:
            self._add(DeclaredTask(name, function, retry, Periodic(schedule, queue, expires, kwargs)))
            return function

        return declare

    def include(self, others: TaskSet) -> None:
        """Add the tasks of another module of the room."""
        for task in others:
            self._add(task)

    def _add(self, task: DeclaredTask) -> None:
        if task.name in self._tasks:
            raise ValueError(f"two tasks are called {task.name}")
        self._tasks[task.name] = task

    def add_to(self, celery: Celery, container: Container) -> None:
        """Register the tasks and their schedule with the application. Raises `ValueError` for a name in use."""
        settings = container.parts.settings
        for task in self:
            if task.name in celery.tasks:
                raise ValueError(f"two tasks are called {task.name}")
            _register(celery, container, task)
            entry = None if task.periodic is None else task.periodic.entry(task.name, settings)
            if entry is not None:
                celery.conf.beat_schedule[task.name] = entry


def _register(celery: Celery, container: Container, task: DeclaredTask) -> None:
    retry, function = task.retry, task.function
    if retry is None:

        def run_once(*args: Any, **values: Any) -> None:
            function(container, *args, **values)

        celery.task(name=task.name)(run_once)
        return
    settings = container.parts.settings
    queue = settings.notification_queue_prefix + retry.queue
    seconds = retry.seconds(settings) if callable(retry.seconds) else retry.seconds

    def run(self: Any, *args: Any, **values: Any) -> None:
        try:
            function(container, *args, **values)
        except retry.on as error:
            if retry.given_up is not None and self.request.retries >= retry.times:
                retry.given_up(container, *args, **values)
                return
            raise self.retry(exc=error, countdown=seconds, queue=queue) from None

    celery.task(name=task.name, bind=True, max_retries=retry.times)(run)
