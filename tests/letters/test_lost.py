"""Letters of test keys whose task was lost are found by the missing PDF."""

from __future__ import annotations

from datetime import timedelta

import pytest

from notify.infra.container import Container
from notify.infra.parts import Parts
from notify.letters import lost, maintenance_tasks
from notify.letters.files import put
from notify.letters.lost import LostTestLetters
from tests.api import queued
from tests.letters.rows import PDF, Letters

MINUTE = timedelta(minutes=1)


@pytest.fixture
def letters(parts: Parts) -> Letters:
    return Letters(parts)


def asked_for(letters: Letters) -> list[str]:
    """The ids of letters whose PDF is asked for by a call of the task."""
    queued(letters.parts)
    maintenance_tasks.replay_test_letters_without_pdf(Container(letters.parts))
    found = queued(letters.parts)
    assert {name for name, _ in found} <= {"get-pdf-for-templated-letter"}
    return sorted(arguments[0] for _, arguments in found)


def test_those_without_a_pdf_are_made_again(letters: Letters) -> None:
    def add(status: str, age: timedelta, pdf: bytes | None = None, key_type: str = "test") -> str:
        return str(letters.add(status=status, age=age, pdf=pdf, key_type=key_type, units=0))

    missing = [add("delivered", 3 * MINUTE), add("sending", 30 * MINUTE)]
    add("delivered", 5 * MINUTE, PDF)
    add("delivered", MINUTE / 2)  # it is under way
    add("delivered", timedelta(hours=2))  # it was looked for often enough
    add("pending-virus-check", 5 * MINUTE)  # has tasks of its own
    add("created", 5 * MINUTE, key_type="normal")
    assert asked_for(letters) == sorted(missing)


def test_one_that_is_too_long_has_its_pdf_elsewhere(letters: Letters) -> None:
    id_ = letters.add(status="delivered", age=5 * MINUTE, pdf=None, key_type="test", units=0)
    put(letters.files.invalid, letters.place(id_).key, PDF)
    assert asked_for(letters) == []


def test_only_the_newest_are_looked_for(letters: Letters, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost, "READ_AT_A_TIME", 2)
    monkeypatch.setattr(lost, "MOST_LETTERS", 4)
    ids = [letters.add(status="delivered", age=n * MINUTE, pdf=None, key_type="test", units=0) for n in range(3, 9)]
    assert asked_for(letters) == sorted(map(str, ids[:4]))
    monkeypatch.setattr(lost, "MOST_LETTERS", 10)
    assert Container(letters.parts).get(LostTestLetters).replay() == 6
