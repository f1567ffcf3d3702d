"""Commands as a terminal runs them. Tests that use this take the fixture `terminal`."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from notify.cli import command_group


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    """Run a command."""
    return CliRunner().invoke(command_group, list(arguments), input=stdin)


def made(*arguments: str, stdin: str | bytes | None = None) -> Any:
    """What a command that succeeds prints with `--json`."""
    result = run(*arguments, "--json", stdin=stdin)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # progress goes to the other stream


def refused(*arguments: str, stdin: str | bytes | None = None) -> str:
    """The one line of a command that fails."""
    result = run(*arguments, stdin=stdin)
    assert result.exit_code in (1, 2)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.output.strip().splitlines()[-1]


def a_service(*more: str) -> Any:
    """A service called Passports, of Ada."""
    made("create-user", "--name", "Ada", "--email", "ada@example.com")
    return made("create-service", "--name", "Passports", "--user", "ada@example.com", *more)
