"""Every periodic task, task and command of the contract is there (contract: workers 3, 4, 17)."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from notify.cli import command_group
from notify.infra.parts import Parts
from notify.worker import create_celery
from tests.workers.contract import (
    BEAT,
    COMMANDS,
    DONE_OTHERWISE,
    OUR_OWN,
    TASKS,
    Entry,
)


def schedule(parts: Parts) -> dict[str, Entry]:
    """What beat publishes, by the name of the task."""
    prefix = parts.settings.notification_queue_prefix
    found = create_celery(parts.settings).conf.beat_schedule.values()
    entries = {
        entry["task"]: Entry(
            entry["schedule"], entry["options"]["queue"].removeprefix(prefix), dict(entry.get("kwargs") or {})
        )
        for entry in found
    }
    assert len(entries) == len(found)
    return entries


def test_the_copies_are_whole() -> None:
    assert (len(BEAT), len(TASKS), len(COMMANDS)) == (39, 79, 24)


def test_periodic_tasks_have_the_contracts_times_queues_and_arguments(unused_parts: Parts) -> None:
    found = schedule(unused_parts)
    assert {name: entry for name, entry in found.items() if name in BEAT} == BEAT


def test_there_are_no_others_but_ours(unused_parts: Parts) -> None:
    assert schedule(unused_parts).keys() - BEAT.keys() == OUR_OWN.keys()


def test_every_task_is_there_or_done_otherwise(unused_parts: Parts) -> None:
    there = {name for name in create_celery(unused_parts.settings).tasks if not name.startswith("celery.")}
    assert TASKS - there == DONE_OTHERWISE.keys()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_there_with_its_options(name: str) -> None:
    command = command_group.get_command(click.Context(command_group), name)
    assert command is not None
    options = {option for parameter in command.params for option in parameter.opts}
    assert COMMANDS[name] <= options
    assert command_group.get_command(click.Context(command_group), name.replace("-", "_")) is not None
    assert command.help


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_long_options_may_be_spelled_both_ways(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notify.cli.lazy.adopt_running_instance", lambda _: None)
    for option in (each for each in COMMANDS[name] if each.startswith("--")):
        for spelled in (option.replace("_", "-"), "--" + option[2:].replace("-", "_")):
            # help is printed once all options are read
            result = CliRunner().invoke(command_group, [name, spelled, "x", "--help"])
            assert "No such option" not in result.output, spelled
