"""The interface between versions: the names of tasks and their arguments, as recorded in `signatures.json`.

python -m tests.workers.signatures     # adds what is new; it takes nothing away
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

from notify import rooms
from notify.infra.task_set import DeclaredTask, TaskSet

FILE: Final = Path(__file__).with_name("signatures.json")
Signature: TypeAlias = list[str]
"""The arguments in their order; `name?` may be left out, `*` stands for any number more."""


def declared() -> Iterator[DeclaredTask]:
    """Every task of every room."""
    for module in rooms.load("tasks"):
        for value in vars(module).values():
            if isinstance(value, TaskSet):
                yield from value


def signature(task: DeclaredTask) -> Signature:
    """The arguments of a task, without the container that the worker adds."""
    _container, *parameters = inspect.signature(task.function).parameters.values()
    return [_word(parameter) for parameter in parameters]


def _word(parameter: inspect.Parameter) -> str:
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return "*"
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return "**"
    return parameter.name + ("" if parameter.default is inspect.Parameter.empty else "?")


def current() -> dict[str, Signature]:
    """The signatures of this version, by the task's name."""
    return {task.name: signature(task) for task in declared()}


def recorded() -> dict[str, Signature]:
    """The signatures that other versions rely on."""
    found: dict[str, Signature] = json.loads(FILE.read_text(encoding="utf-8"))
    return found


def breaches(older: Mapping[str, Signature], newer: Mapping[str, Signature]) -> list[str]:
    """Why a worker that has `newer` would not understand what is published for `older`."""
    found = []
    for name, known in older.items():
        if name not in newer:
            found.append(f"{name} is gone")
            continue
        now = newer[name]
        for position, (was, word) in enumerate(zip(known, now, strict=False)):
            if was.rstrip("?") != word.rstrip("?"):
                found.append(f"{name}: argument {position + 1} was {was} and is {word}")
            elif was.endswith("?") and not word.endswith("?"):
                found.append(f"{name}: {word} could be left out")
        found += [f"{name}: {word} is gone" for word in known[len(now) :]]
        found += [f"{name}: {word} is new and has no default" for word in now[len(known) :] if word[-1] not in "?*"]
    return found


def record() -> None:
    """Add what is new to the record. Raises `SystemExit` where something would be taken away."""
    known, now = recorded() if FILE.exists() else {}, current()
    if problems := breaches(known, now):
        raise SystemExit("\n".join(problems))
    text = ",\n".join(f"  {json.dumps(name)}: {json.dumps(words)}" for name, words in sorted(now.items()))
    FILE.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    record()
