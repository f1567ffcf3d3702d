"""The `notify` command as a whole: its list of commands, the speed of its help, one-line errors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from notify.cli import ENTRIES, command_group, program
from notify.cli.folder import DataFolder, adopt_running_instance

NO_ENVIRONMENT = "Error: NOTIFY_ENVIRONMENT: must be set: development on your own machine"
DEVELOPMENT = {"NOTIFY_ENVIRONMENT": "development"}


def environment_of_tests() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a separate process, with nothing set but what is given."""
    return subprocess.run(
        [sys.executable, "-m", "notify.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env=environment_of_tests() | environment,
        timeout=60,
    )


def test_every_command_exists_and_its_help_starts_with_its_text_in_the_list() -> None:
    context = click.Context(program)
    for name, entry in ENTRIES.items():
        command = program.get_command(context, name)
        assert command is not None
        assert command.name == name
        assert command.hidden == entry.is_hidden
        assert (command.help or "").startswith(entry.summary)


def test_flask_has_the_same_commands_without_settings(tmp_path: Path) -> None:
    assert command_group.list_commands(click.Context(command_group)) == program.list_commands(click.Context(program))
    flask = [sys.executable, "-m", "flask", "--app", "notify.app", "command"]
    for options, code, said in (
        ([*flask, "--help"], 0, "create-service"),
        ([*flask, "list-services"], 1, NO_ENVIRONMENT),
    ):
        result = subprocess.run(
            options, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment_of_tests(), timeout=60
        )
        assert (result.returncode, result.stderr.count("\n")) == (code, code)
        assert said in result.stdout + result.stderr


def test_flask_db_finds_the_application_and_tells_a_fault_in_one_line() -> None:
    root = Path(__file__).parents[2]
    environment = {
        **environment_of_tests(),
        **DEVELOPMENT,
        "SQLALCHEMY_DATABASE_URI": "postgresql://127.0.0.1:1/none",
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    for words, code, said in (
        (["history"], 0, "(head)"),
        (["upgrade"], 1, "Error: the database cannot be reached: "),
    ):
        result = subprocess.run(
            [sys.executable, "-m", "flask", "db", *words],
            capture_output=True,
            text=True,
            check=False,
            cwd=root,
            env=environment,
            timeout=60,
        )
        assert result.returncode == code, result.stderr
        assert said in result.stdout + result.stderr
        assert "Traceback" not in result.stderr


def test_help_needs_none_of_the_heavy_modules(tmp_path: Path) -> None:
    code = (
        "import sys; from notify.cli import program\n"
        "try: program(['--help'])\n"
        "except SystemExit: pass\n"
        "print(sorted({'flask', 'celery', 'sqlalchemy', 'pydantic'} & set(sys.modules)))"
    )
    began = time.monotonic()
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert result.stdout.splitlines()[-1] == "[]"
    assert "create-service" in result.stdout
    assert time.monotonic() - began < 5  # it takes a fifteenth of a second on an idle machine


@pytest.mark.parametrize(
    ("arguments", "environment", "line"),
    [
        (["web"], DEVELOPMENT, "Error: SQLALCHEMY_DATABASE_URI: must be set (or start everything with `notify up`)"),
        (
            ["web"],
            {**DEVELOPMENT, "SQLALCHEMY_DATABASE_URI": "postgresql://127.0.0.1:1/x"},
            "Error: REDIS_URL or BROKER_URL: must be set (or start everything with `notify up`)",
        ),
        (["web"], {}, NO_ENVIRONMENT),
        (["worker"], {}, NO_ENVIRONMENT),
        (["beat"], {}, NO_ENVIRONMENT),
        (["db", "upgrade"], {}, NO_ENVIRONMENT),
        (["rotate-secrets"], {}, NO_ENVIRONMENT),
        (["worker"], {"PORT": "door"}, "Error: PORT: Input should be a valid integer"),
        (["beat"], {"NOTIFY_ENVIRONMENT": "production"}, "Error: SECRET_KEY: the development default is refused"),
        (["up"], {"WEB_HOST": "0.0.0.0"}, "Error: WEB_HOST: 0.0.0.0 is reached from other machines"),  # noqa: S104
        (
            ["up"],
            {"MMG_API_KEY": "real"},
            "Error: MMG_API_KEY: a real provider is refused in environment 'development'",
        ),
        (["up"], {"REDIS_URL": "http://example.com"}, "Error: REDIS_URL: Value error, must be a redis:// address"),
        (
            ["sandbox"],
            {**DEVELOPMENT, "SQLALCHEMY_DATABASE_URI": "postgresql://127.0.0.1:1/x"},
            "Error: SANDBOX_URL: must be set",
        ),
        (["db", "current"], DEVELOPMENT, "Error: SQLALCHEMY_DATABASE_URI: must be set"),
        (["settings"], {"INTERNAL_CLIENT_API_KEYS": "{"}, "Error: INTERNAL_CLIENT_API_KEYS: must be valid JSON"),
        (
            ["db", "upgrade"],
            {**DEVELOPMENT, "SQLALCHEMY_DATABASE_URI": "postgresql://me:sesame@127.0.0.1:1/x"},
            "Error: the database cannot be reached: ",
        ),
    ],
)
def test_what_is_wrong_is_one_line(
    tmp_path: Path, arguments: list[str], environment: Mapping[str, str], line: str
) -> None:
    result = run(*arguments, cwd=tmp_path, **environment)
    assert result.returncode == 1
    assert result.stderr.startswith(line)
    assert result.stderr.count("\n") == 1
    assert "sesame" not in result.stderr
    assert result.stdout == ""


def test_worker_refuses_an_unknown_queue(tmp_path: Path) -> None:
    result = run(
        "worker", "--queues", "periodic-tasks,nonsense", cwd=tmp_path, SQLALCHEMY_DATABASE_URI="postgresql:///x"
    )
    assert result.returncode == 2
    assert "there is no queue nonsense" in result.stderr


@pytest.mark.usefixtures("terminal")
def test_an_argument_in_another_encoding_is_refused_in_one_line() -> None:
    name = os.fsdecode("René".encode("latin-1"))
    result = CliRunner().invoke(program, ["list-templates", "--service", name])
    assert (result.exit_code, result.output) == (
        1,
        "Error: an argument is not in UTF-8: what encoding has this terminal?\n",
    )


def test_a_second_instance_shares_nothing_with_the_one_that_runs_on_the_usual_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.take()
    folder.publish({"NOTIFY_ENVIRONMENT": "development", "SQLALCHEMY_DATABASE_URI": "postgresql:///one"})
    monkeypatch.setenv("NOTIFY_DATA_DIR", str(folder.path))
    for name in ("NOTIFY_ENVIRONMENT", "SQLALCHEMY_DATABASE_URI"):
        monkeypatch.setenv(name, "")  # so that what is adopted is taken back afterwards
        monkeypatch.delenv(name)
    for command, adopts in (("up", False), ("reset", False), ("list-services", True)):
        assert CliRunner().invoke(program, [command, "--help"]).exit_code == 0
        assert ("SQLALCHEMY_DATABASE_URI" in os.environ) == adopts, command
    folder.release()


def test_commands_find_the_instance_that_runs_on_the_data_folder(tmp_path: Path) -> None:
    published = {
        "NOTIFY_ENVIRONMENT": "development",
        "SQLALCHEMY_DATABASE_URI": "postgresql:///one",
        "REDIS_URL": "redis://two",
    }
    folder = DataFolder(tmp_path / "data")
    folder.take()
    folder.publish(published)
    environment = {"NOTIFY_DATA_DIR": str(folder.path), "REDIS_URL": "redis://mine"}
    adopt_running_instance(environment)
    assert environment["NOTIFY_ENVIRONMENT"] == "development"
    assert environment["SQLALCHEMY_DATABASE_URI"] == "postgresql:///one"
    assert environment["REDIS_URL"] == "redis://mine"

    elsewhere = {"NOTIFY_DATA_DIR": str(folder.path), "NOTIFY_ENVIRONMENT": "production"}
    adopt_running_instance(elsewhere)
    assert "SQLALCHEMY_DATABASE_URI" not in elsewhere

    folder.release()  # as when `notify up` was killed: the file is still there, but nobody holds the lock
    after = {"NOTIFY_DATA_DIR": str(folder.path)}
    adopt_running_instance(after)
    assert "SQLALCHEMY_DATABASE_URI" not in after
    assert json.loads((folder.run / "environment.json").read_text()) == published
    assert (folder.run / "environment.json").stat().st_mode & 0o077 == 0
