"""The container: one object of each class for all threads, closed in reverse order."""

from __future__ import annotations

import ast
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar, Self

import pytest

import notify
from notify.infra.container import Container
from notify.infra.parts import Parts

THREADS = 16
ROUNDS = 20


class Slow:
    """Takes long enough to build for other threads to ask for it meanwhile."""

    built = 0

    @classmethod
    def build(cls, container: Container) -> Self:
        del container
        time.sleep(0.002)
        cls.built += 1
        return cls()


class First:
    closed: ClassVar[list[str]] = []

    @classmethod
    def build(cls, container: Container) -> Self:
        del container
        return cls()

    def close(self) -> None:
        self.closed.append("first")


class Second:
    @classmethod
    def build(cls, container: Container) -> Self:
        container.get(First)
        return cls()

    def close(self) -> None:
        First.closed.append("second")


class Failing:
    @classmethod
    def build(cls, container: Container) -> Self:
        raise ValueError("no such thing")


def test_threads_that_ask_together_share_one_object(unused_parts: Parts) -> None:
    for round_ in range(1, ROUNDS + 1):
        container = Container(unused_parts)
        together = threading.Barrier(THREADS)

        def ask(container: Container = container, together: threading.Barrier = together) -> Slow:
            together.wait()
            return container.get(Slow)

        with ThreadPoolExecutor(THREADS) as pool:
            found = {id(future.result()) for future in [pool.submit(ask) for _ in range(THREADS)]}
        assert len(found) == 1
        assert Slow.built == round_


def test_what_was_built_last_is_closed_first(unused_parts: Parts) -> None:
    container = Container(unused_parts)
    container.get(Second)
    container.close()
    assert First.closed == ["second", "first"]


def test_what_could_not_be_built_is_tried_again(unused_parts: Parts) -> None:
    container = Container(unused_parts)
    for _ in range(2):
        with pytest.raises(ValueError, match="no such thing"):
            container.get(Failing)


_MAY_ASK = re.compile(
    r"(notify/(\w+/)+(\w*tasks|hooks)\.py|notify/(public|internal|template_preview|file_checks|console|cli)/.*|notify/(app|worker)\.py)"
)


def questions(path: Path) -> list[tuple[int, bool]]:
    """The lines of a module that call `container.get`, and whether each is within a `build` method."""
    found = []

    def visit(node: ast.AST, is_building: bool) -> None:
        if isinstance(node, ast.FunctionDef):
            is_building = is_building or node.name == "build"
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "container.get":
            found.append((node.lineno, is_building))
        for child in ast.iter_child_nodes(node):
            visit(child, is_building)

    visit(ast.parse(path.read_text()), is_building=False)
    return found


def test_only_build_methods_views_tasks_and_commands_ask_the_container() -> None:
    """Everything else is given what it needs, so that tests can give it something else."""
    base = Path(notify.__file__).parents[1]
    for path in sorted(base.glob("notify/**/*.py")):
        name = str(path.relative_to(base))
        if not _MAY_ASK.fullmatch(name):
            assert [line for line, is_building in questions(path) if not is_building] == [], name
