"""Tasks: declared beside their functions, found in every room, published under names that are declared."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from celery.schedules import crontab

import notify
from notify import queues
from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.infra.queue import TaskName
from notify.infra.task_set import RUN_ONCE, DeclaredTask, Retry, TaskSet
from notify.messages.settings import DeliverySettings
from notify.rooms import load

EXTERNAL: frozenset[str] = frozenset()
"""Tasks that only other programs publish."""
FOREIGN = frozenset({"publish-govuk-alerts"})
"""Tasks that other programs run."""


def declared() -> list[DeclaredTask]:
    """Every task of every room."""
    return [task for module in load("tasks") for task in module.tasks]


def published() -> set[str]:
    """The names in `TaskName("...")` anywhere in the product: those that a room publishes."""
    names = set()
    for path in Path(notify.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "TaskName":
                names.add(ast.literal_eval(node.args[0]))
    return names


def test_every_published_task_is_declared_and_every_declared_one_is_asked_for() -> None:
    tasks = declared()
    assert not [name for name, number in Counter(task.name for task in tasks).items() if number > 1]
    periodic = {task.name for task in tasks if task.periodic is not None}
    others = {task.name for task in tasks if task.periodic is None}
    assert others == published() - FOREIGN | EXTERNAL
    assert not periodic & published()


def test_tasks_are_functions_of_their_modules_that_say_what_they_do() -> None:
    for module in load("tasks"):
        for task in module.tasks:
            function = task.function
            assert getattr(sys.modules[function.__module__], function.__name__) is function, task.name
            assert function.__doc__, task.name


def test_every_periodic_task_goes_to_a_queue_that_a_worker_serves() -> None:
    for task in declared():
        if task.periodic is not None:
            assert task.periodic.queue in queues.QUEUES, task.name


def test_a_failed_task_is_run_again_and_then_given_up(unused_parts: Parts) -> None:
    tasks, calls = TaskSet(), list[str]()

    def give_up(container: Container, word: str) -> None:
        del container
        calls.append(f"gave up {word}")

    @tasks.task(TaskName("fragile"), retry=Retry(on=(KeyError,), times=2, seconds=0, given_up=give_up))
    def fragile(container: Container, word: str) -> None:
        del container
        calls.append(word)
        raise KeyError(word)

    celery = unused_parts.queue.celery
    tasks.add_to(celery, Container(unused_parts))
    celery.tasks["fragile"].apply(args=["a"])
    assert calls == ["a", "a", "a", "gave up a"]


def test_a_task_that_fails_otherwise_is_not_run_again(unused_parts: Parts) -> None:
    tasks, calls = TaskSet(), list[str]()

    @tasks.task(TaskName("odd"), retry=Retry(on=(KeyError,), times=2, seconds=0))
    def odd(container: Container) -> None:
        del container
        calls.append("odd")
        raise ValueError

    celery = unused_parts.queue.celery
    tasks.add_to(celery, Container(unused_parts))
    assert celery.tasks["odd"].apply().state == "FAILURE"
    assert calls == ["odd"]


def test_the_schedule_stands_beside_the_function(unused_parts: Parts) -> None:
    tasks = TaskSet()

    @tasks.periodic(
        "often",
        lambda settings: timedelta(seconds=settings.part(DeliverySettings).sweep_every_seconds),
        expires=RUN_ONCE,
    )
    def often(container: Container) -> None:
        del container

    @tasks.periodic("nightly", crontab(hour=1), queue=queues.REPORTING)
    def nightly(container: Container) -> None:
        del container

    celery, settings = unused_parts.queue.celery, unused_parts.settings
    tasks.add_to(celery, Container(unused_parts))
    seconds = settings.part(DeliverySettings).sweep_every_seconds
    prefix = settings.notification_queue_prefix
    assert celery.conf.beat_schedule["often"] == {
        "task": "often",
        "schedule": timedelta(seconds=seconds),
        "options": {"queue": f"{prefix}periodic-tasks", "expires": seconds},
    }
    assert celery.conf.beat_schedule["nightly"]["options"] == {"queue": f"{prefix}reporting-tasks"}


def test_a_name_is_given_once(unused_parts: Parts) -> None:
    tasks = TaskSet()

    @tasks.task(TaskName("once"))
    def once(container: Container) -> None:
        del container

    with pytest.raises(ValueError, match="two tasks are called once"):
        tasks.task(TaskName("once"))(once)
    container = Container(unused_parts)
    tasks.add_to(unused_parts.queue.celery, container)
    with pytest.raises(ValueError, match="two tasks are called once"):
        tasks.add_to(unused_parts.queue.celery, container)
