"""A group of commands whose modules are imported when one of them is used: `notify --help` stays quick."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, NamedTuple

import click

from notify.cli.folder import adopt_running_instance


class Entry(NamedTuple):
    """Where a command is (`module:attribute`), and the line that help shows for it."""

    target: str
    summary: str


class LazyGroup(click.Group):
    """A click group over a table of entries. Its commands find the instance that runs on the data folder; a
    `SettingsError` of any of them becomes one line and exit code 1.
    """

    def __init__(self, *args: Any, entries: dict[str, Entry], **more: Any) -> None:
        super().__init__(*args, **more)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.target} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.entries.items()])

    def invoke(self, ctx: click.Context) -> Any:
        adopt_running_instance(os.environ)
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except Exception as error:
            from notify.settings import SettingsError

            if isinstance(error, SettingsError):
                raise click.ClickException(str(error)) from None
            raise


def first_line(problem: object) -> str:
    """What an error says, in one line."""
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]
