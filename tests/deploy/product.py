"""The names that deployment files may contain: commands with their options, settings, roles, queues."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import click
import pytest

from notify.cli import program
from notify.cli.processes import _chosen_queues
from notify.settings import Settings, load, parts
from tests.production import PRODUCTION, as_environment

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
VALUES: Final = re.compile(r"\$\{[^}]*\}")

IMAGE: Final = {"WEB_HOST": "0.0.0.0"}  # noqa: S104 - only read
"""What the image sets and the example does not."""

SETTINGS: Final = frozenset(name.upper() for part in parts() for name in part.model_fields)
BUCKETS: Final = frozenset(
    name.upper()
    for part in parts()
    for name, field in part.model_fields.items()
    if "bucket" in name and field.default  # those without a default are for what only some installations have
)
"""Every bucket must be named: outside development the default's is somebody else's."""
OTHERS: Final = frozenset(
    {
        # the libraries' own: the object store (obstore), and Amazon's chain of credentials
        "AWS_ENDPOINT",
        "AWS_ALLOW_HTTP",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        # Python's
        "PYTHONUNBUFFERED",
        "PYTHONDONTWRITEBYTECODE",
        "PATH",
    }
)


def parse(words: Sequence[str]) -> tuple[str, Mapping[str, Any]]:
    """The name of a command and its options, parsed by the command itself. Fails for what it does not know."""
    context = click.Context(program, info_name="notify")
    command: click.Command = program
    rest = list(words)
    names = []
    while isinstance(command, click.Group):
        name, found, rest = command.resolve_command(context, rest)
        assert name is not None
        assert found is not None
        names.append(name)
        command = found
        context = click.Context(command, info_name=name, parent=context)
    final = command.make_context(names[-1], rest, parent=context.parent)
    return " ".join(names), final.params


def queues_served(commands: Iterable[Sequence[str]]) -> set[str]:
    """The queues that these command lines, as far as they are workers', serve together."""
    served: set[str] = set()
    for words in commands:
        name, options = parse(words)
        if name == "worker":
            served |= set(_chosen_queues(options["roles"], options["queues"]))
    return served


def unknown(names: Iterable[str]) -> set[str]:
    """Those of the variables that mean nothing to the product."""
    return {name for name in names if name not in SETTINGS | OTHERS}


def variables(file: Path) -> dict[str, str]:
    """The variables of an env file."""
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def start(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> Settings:
    """The settings of a process in this environment, with secrets where it leaves them empty. Raises `SettingsError`."""
    secrets = as_environment(
        {name: value for name, value in PRODUCTION.items() if not name.startswith(("sql", "redis"))}
    )
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    filled = {name: value for name, value in environment.items() if value and "..." not in value}
    given = {name: VALUES.sub("secret", value) for name, value in filled.items()}
    for name, value in (secrets | given).items():
        if name in SETTINGS:
            monkeypatch.setenv(name, value)
    return load()
