"""The size of functions and modules, and docstrings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from pydantic import BaseModel

import notify
from notify.rooms import load

ROOT: Final = Path(notify.__file__).parent
FUNCTION_LINES: Final = 60
MODULE_LINES: Final = 400

LONG_MODULES: Final[dict[str, str]] = {
    "migrations/versions/0001_tables.py": "a table: the first tables, frozen",
}
"""Modules that may be longer, and why."""
LONG_FUNCTIONS: Final[dict[str, str]] = {}
"""Functions that may be longer, as `module:function`, and why. Migrations are tables."""


def _modules() -> Iterator[tuple[str, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def _functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_module_is_long() -> None:
    long = {name for name, source in _modules() if len(source.splitlines()) > MODULE_LINES}
    assert sorted(long) == sorted(LONG_MODULES)


def test_no_function_is_long() -> None:
    long = {
        f"{name}:{function.name}"
        for name, source in _modules()
        if not name.startswith("migrations/versions/")
        for function in _functions(ast.parse(source))
        if (function.end_lineno or function.lineno) - function.lineno + 1 > FUNCTION_LINES
    }
    assert sorted(long) == sorted(LONG_FUNCTIONS)


def test_every_module_has_a_docstring() -> None:
    silent = [name for name, source in _modules() if source.strip() and not ast.get_docstring(ast.parse(source))]
    assert silent == []


def test_rows_have_names() -> None:
    """`row[0]` may take the only column of a row; further positions are for databases' own names."""
    found = [
        f"{name}:{node.lineno}"
        for name, source in _modules()
        if not name.startswith("migrations/")
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("row", "found", "record")
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, int)
        and node.slice.value > 0
    ]
    assert found == []


def _literals(annotation: Any) -> Iterator[tuple[Any, ...]]:
    if get_origin(annotation) is Literal:
        yield get_args(annotation)
    for part in get_args(annotation):
        yield from _literals(part)


def _models(parent: type[BaseModel] = BaseModel) -> Iterator[type[BaseModel]]:
    for model in parent.__subclasses__():
        yield model
        yield from _models(model)


def test_errors_list_the_values_of_a_field_in_the_order_in_which_it_names_them() -> None:
    """A union of a `Literal` may be given the order of an equal one elsewhere: see `InOrder`."""
    load("tasks")
    for name, _ in _modules():
        if name.startswith(("internal/", "public/")):
            import_module("notify." + name.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
    wrong = []
    for model in _models():
        for name, text in vars(model).get("__annotations__", {}).items():
            if model.__module__.startswith("notify.") and isinstance(text, str) and name in model.model_fields:
                written = [tuple(re.findall(r'"([^"]*)"', each)) for each in re.findall(r"Literal\[([^\]]*)\]", text)]
                read = [each for each in _literals(model.model_fields[name].annotation) if isinstance(each[0], str)]
                if any(written) and [each for each in written if each] != read:
                    wrong.append(f"{model.__name__}.{name}: {written} became {read}")
    assert not wrong
