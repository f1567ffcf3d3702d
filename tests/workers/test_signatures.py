"""A worker understands what the version before it publishes, and the other way round: tasks keep their names, and their
arguments only grow by such as may be left out.
"""

from __future__ import annotations

import pytest

from tests.workers.signatures import breaches, current, recorded


def test_what_older_versions_publish_is_understood() -> None:
    assert breaches(recorded(), current()) == []


def test_every_task_and_argument_is_on_record() -> None:
    """From here on others rely on it: `python -m tests.workers.signatures` adds what is new."""
    assert recorded() == current()


OLDER = {"send": ["ids", "batch?"], "sweep": []}


@pytest.mark.parametrize(
    ("newer", "problem"),
    [
        ({"send": ["ids", "batch?", "service_id?"], "sweep": []}, []),
        ({"send": ["ids?", "batch?"], "sweep": [], "another": ["id"]}, []),
        ({"send": ["ids", "batch?"]}, ["sweep is gone"]),
        ({"send": ["ids", "batch?", "size"], "sweep": []}, ["send: size is new and has no default"]),
        ({"send": ["ids"], "sweep": []}, ["send: batch? is gone"]),
        ({"send": ["ids", "batch"], "sweep": []}, ["send: batch could be left out"]),
        ({"send": ["keys", "batch?"], "sweep": []}, ["send: argument 1 was ids and is keys"]),
    ],
)
def test_what_would_not_be_understood(newer: dict[str, list[str]], problem: list[str]) -> None:
    assert breaches(OLDER, newer) == problem
