"""The rooms: one package of `notify` for each feature. A room declares itself in modules of fixed names.

`models` (tables), `tasks` (a `TaskSet`), `hooks` (what it does when another room's object changes), `settings` (a mixin
of `Settings`) and `metrics` are found here by name; commands are in the lazy table of `notify.cli`.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Final, Literal

ROOMS: Final[tuple[str, ...]] = (
    "accounts",
    "organisations",
    "branding",
    "events",
    "services",
    "templates",
    "providers",
    "webhooks",
    "billing",
    "documents",
    "unsubscribes",
    "messages",
    "notices",
    "inbound",
    "jobs",
    "letters",
    "broadcasts",
    "sign_in",
    "teams",
    "reporting",
)
"""Every room, the lower floors first."""

Part = Literal["models", "tasks", "hooks", "settings", "metrics"]


def load(part: Part) -> Iterator[ModuleType]:
    """Import this part of every room that has it, in the order of `ROOMS`, and yield each module."""
    for room in ROOMS:
        name = f"{__package__}.{room}.{part}"
        if find_spec(name) is not None:
            yield import_module(name)


def load_all(part: Part) -> None:
    """Import this part of every room that has it: `load` for modules that only need importing."""
    for _module in load(part):
        pass
