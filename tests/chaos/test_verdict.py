"""The checks of chaos runs find every violation."""

from __future__ import annotations

from typing import Any

import pytest

from chaos.load import Record, Sent
from chaos.provider import Take
from chaos.run import line
from chaos.verdict import Disturbance, Row, Verdict, judge


def verdict(
    takes: list[Take] | None = None,
    rows: list[Row] | None = None,
    disturbances: list[Disturbance] | None = None,
    **record: Any,
) -> Verdict:
    """On one accepted message, `a`, whose number means `delivered`."""
    seen = Record("test", accepted={"a": Sent("07900000000", "test-1", 0.0)}, began=0.0, ended=5.0, **record)
    taken = [take(1.0)] if takes is None else takes
    stored = [Row("a", "test-1", "447900000000", "delivered")] if rows is None else rows
    return judge(seen, stored, {"a": taken}, disturbances or [], 1.0)


def take(at: float, *, answered: bool = True) -> Take:
    return Take("a", "mmg", at, answered)


def test_all_is_well() -> None:
    found = verdict()
    assert found.violations == []
    assert (found.handed_over, found.final, found.duplicates, found.bound, found.unknown) == (1, 1, 0, 0, 0)
    assert found.record.longest_gap() == 5.0
    assert line(found).split()[:2] == ["test", "1"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"takes": []}, "a: accepted, but never handed over"),
        ({"rows": []}, "a: accepted, but not in the database"),
        ({"rows": [Row("a", "test-1", "447900000000", "created")]}, "a: created, but the provider said delivered"),
        ({"rows": [Row("a", "test-1", "447900000008", "delivered")]}, "a: delivered, but the provider said permanent"),
        ({"wrong": ["test-2: 403 no"]}, "test-2: 403 no"),
        ({"takes": [take(1.0), take(9.0)]}, "a: handed over again after 8.0 s, and nothing excuses it"),
        (
            {"takes": [take(1.0), take(9.0)], "disturbances": [Disturbance("worker", 6.0, 6.0)]},
            "a: handed over again after 8.0 s",
        ),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], expected: str) -> None:
    (violation,) = verdict(**changes).violations
    assert violation.startswith(expected)
    assert "VIOLATION a: " in line(verdict(**changes)) or "wrong" in changes


def test_a_row_that_is_there_twice_is_named() -> None:
    twice = [Row(id_, "test-1", "447900000000", "delivered") for id_ in ("a", "b")]
    assert verdict(rows=twice).violations == ["b: stored twice"]


@pytest.mark.parametrize(
    ("first", "disturbances"),
    [
        (take(1.0, answered=False), []),
        (take(1.0), [Disturbance("worker", 1.2, 1.2)]),
        (take(1.0), [Disturbance("database", 0.5, 3.0)]),
    ],
    ids=["an answer that got lost", "a worker that was killed", "a database that was away"],
)
def test_a_duplicate_with_a_reason_is_within_the_bound(first: Take, disturbances: list[Disturbance]) -> None:
    found = verdict(takes=[take(30.0), first], disturbances=disturbances)
    assert found.violations == []
    assert (found.duplicates, found.bound) == (1, 1)
