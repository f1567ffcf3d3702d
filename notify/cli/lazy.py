"""A group of commands whose modules are imported at first use, so that `notify --help` stays fast."""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, NamedTuple

import click

from notify.cli.folder import adopt_running_instance

_NOT_UTF_8 = "surrogates not allowed"
"""What Python says of a text that stands for bytes of the command line in another encoding."""


class Entry(NamedTuple):
    """Location of a command (`module:attribute`), and its line in `--help`. A hidden one is for other commands only.
    One that does not adopt ignores the instance that runs on the data folder.
    """

    target: str
    summary: str
    is_hidden: bool = False
    adopts: bool = True


class LazyGroup(click.Group):
    """A click group over a table of entries. Its commands find the instance that runs on the data folder; a
    `SettingsError` of any of them, or an argument in another encoding than UTF-8, becomes one line and exit code 1.
    """

    def __init__(self, *args: Any, entries: dict[str, Entry], **more: Any) -> None:
        super().__init__(*args, **more)
        # what a group says of names holds for its commands: long options, too, may be spelled both ways
        self.context_settings = {**self.context_settings, "token_normalize_func": _with_hyphens}
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, entry in self.entries.items() if not entry.is_hidden]

    def _entry(self, name: str) -> Entry | None:
        """The command of a name, which may have underscores for its hyphens."""
        return self.entries.get(name) or self.entries.get(name.replace("_", "-"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self._entry(cmd_name)
        if entry is None:
            return None
        module, _, attribute = entry.target.partition(":")
        command = getattr(import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry.target} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.summary) for name, entry in self.entries.items() if not entry.is_hidden])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        entry = self._entry(args[0])
        if entry is None or entry.adopts:
            adopt_running_instance(os.environ)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise
        except UnicodeEncodeError as error:
            if error.reason != _NOT_UTF_8:
                raise
            raise click.ClickException("an argument is not in UTF-8: what encoding has this terminal?") from None
        except Exception as error:
            from notify.settings import SettingsError

            if isinstance(error, SettingsError):
                raise click.ClickException(str(error)) from None
            raise


def _with_hyphens(name: str) -> str:
    return name.replace("_", "-")


def first_line(problem: object) -> str:
    """The first line of an error's message."""
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]
