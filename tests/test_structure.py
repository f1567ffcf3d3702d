"""The size of functions and modules, and docstrings."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import notify

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
