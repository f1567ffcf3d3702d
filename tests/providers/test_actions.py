"""Automatic changes of the providers' weights."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from notify.infra.database import Database
from notify.providers.actions import shift_from_failing, shift_from_slow, tend_back
from notify.providers.models import ProviderDetails, ProviderDetailsHistory

NOTIFY_USER = UUID("6af522d0-2915-4e52-83a3-3690455a5fe6")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
BOTH = ("mmg", "firetext")


def arrange(database: Database, *, ago: timedelta | None = None, **priorities: int) -> None:
    """Give providers these priorities, changed last so long ago (None: never)."""
    with database.transaction() as session:
        for identifier, priority in priorities.items():
            session.execute(
                update(ProviderDetails)
                .where(ProviderDetails.identifier == identifier, ProviderDetails.notification_type == "sms")
                .values(priority=priority, updated_at=None if ago is None else NOW - ago)
            )


def act(database: Database, action: Callable[..., bool], *arguments: Any, among: Any = BOTH) -> bool:
    with database.transaction() as session:
        return action(session, *arguments, among, changed_by=NOTIFY_USER, now=NOW)


def priorities(database: Database, *identifiers: str) -> list[int]:
    with database.session() as session:
        rows = {row.identifier: row for row in texts(session)}
        return [rows[identifier].priority for identifier in identifiers or BOTH]


def texts(session: Session) -> list[ProviderDetails]:
    return list(session.scalars(select(ProviderDetails).where(ProviderDetails.notification_type == "sms")))


@pytest.mark.parametrize(
    ("before", "failing", "after"),
    [
        ((51, 49), "mmg", [41, 59]),
        ((51, 49), "firetext", [61, 39]),
        ((5, 95), "mmg", [0, 100]),
        ((0, 100), "mmg", [0, 100]),
        ((20, 60), "firetext", [30, 50]),
    ],
)
def test_a_failing_provider_gives_a_step_to_the_other(
    database: Database, before: tuple[int, int], failing: str, after: list[int]
) -> None:
    arrange(database, mmg=before[0], firetext=before[1])
    assert act(database, shift_from_failing, failing)
    assert priorities(database) == after


def test_a_change_is_a_version_with_a_reason_and_a_copy_in_the_history(database: Database) -> None:
    arrange(database, mmg=51, firetext=49)
    assert act(database, shift_from_failing, "mmg")
    with database.session() as session:
        found = {row.identifier: row for row in texts(session)}
        history = session.scalars(select(ProviderDetailsHistory).where(ProviderDetailsHistory.version == 2)).all()
    columns = ProviderDetails.__table__.columns.keys()
    assert {row.identifier for row in history} == set(BOTH)
    for copy in history:
        row = found[copy.identifier]
        assert {name: getattr(copy, name) for name in columns} == {name: getattr(row, name) for name in columns}
        assert (row.version, row.updated_at, row.created_by_id) == (2, NOW, NOTIFY_USER)
    assert found["mmg"].reason == "Reduced due to reduced reliability"
    assert found["firetext"].reason == "Increased due to reduced reliability in other provider"


@pytest.mark.parametrize(("seconds", "is_changed"), [(0, False), (59, False), (60, True), (3600, True)])
def test_errors_change_shares_once_a_minute(database: Database, seconds: int, is_changed: bool) -> None:
    arrange(database, mmg=51, firetext=49)
    arrange(database, ago=timedelta(seconds=seconds), firetext=49)
    assert act(database, shift_from_failing, "mmg") is is_changed
    assert priorities(database) == ([41, 59] if is_changed else [51, 49])


def test_two_workers_that_see_the_same_errors_change_shares_once(database: Database) -> None:
    arrange(database, mmg=51, firetext=49)
    with ThreadPoolExecutor(6) as threads:
        outcomes = list(threads.map(lambda _: act(database, shift_from_failing, "mmg"), range(6)))
    assert sorted(outcomes) == [False] * 5 + [True]
    assert priorities(database) == [41, 59]


def test_a_session_that_looked_before_does_not_judge_by_what_it_saw(database: Database) -> None:
    arrange(database, mmg=51, firetext=49)
    with database.transaction() as session:
        texts(session)
        assert act(database, shift_from_failing, "mmg")
        assert not shift_from_failing(session, "mmg", BOTH, changed_by=NOTIFY_USER, now=NOW)
    assert priorities(database) == [41, 59]


@pytest.mark.parametrize("among", [["mmg"], [], ["firetext"]])
def test_nothing_moves_where_there_is_nowhere_to_go(database: Database, among: list[str]) -> None:
    arrange(database, mmg=51, firetext=49)
    assert not act(database, shift_from_failing, "mmg", among=among)
    assert priorities(database) == [51, 49]


def test_nothing_moves_to_a_provider_that_is_switched_off(database: Database) -> None:
    arrange(database, mmg=51, firetext=49)
    with database.transaction() as session:
        session.execute(update(ProviderDetails).where(ProviderDetails.identifier == "firetext").values(active=False))
    assert not act(database, shift_from_failing, "mmg")


def test_the_strongest_of_several_others_takes_over(database: Database) -> None:
    arrange(database, mmg=30, firetext=30, sandbox=40)
    assert act(database, shift_from_failing, "mmg", among=(*BOTH, "sandbox"))
    assert priorities(database, "mmg", "firetext", "sandbox") == [20, 30, 50]


@pytest.mark.parametrize(
    ("ratios", "after"),
    [
        ({"mmg": 0.15}, [41, 59]),
        ({"mmg": 0.149}, [51, 49]),
        ({"mmg": 0.5, "firetext": 0.1}, [41, 59]),
        ({"mmg": 0.1, "firetext": 0.5}, [61, 39]),
        ({"mmg": 0.5, "firetext": 0.5}, [51, 49]),
        ({}, [51, 49]),
    ],
)
def test_a_slow_provider_gives_a_step_to_one_that_is_not(
    database: Database, ratios: dict[str, float], after: list[int]
) -> None:
    arrange(database, mmg=51, firetext=49)
    assert act(database, shift_from_slow, ratios) is (after != [51, 49])
    assert priorities(database) == after


def test_of_two_slow_ones_the_slowest_gives(database: Database) -> None:
    arrange(database, mmg=30, firetext=30, sandbox=40)
    assert act(database, shift_from_slow, {"mmg": 0.2, "sandbox": 0.9}, among=(*BOTH, "sandbox"))
    assert priorities(database, "mmg", "firetext", "sandbox") == [30, 40, 30]


@pytest.mark.parametrize(("seconds", "is_changed"), [(299, False), (300, True)])
def test_slowness_changes_shares_every_five_minutes(database: Database, seconds: int, is_changed: bool) -> None:
    arrange(database, ago=timedelta(seconds=seconds), mmg=51, firetext=49)
    assert act(database, shift_from_slow, {"mmg": 0.9}) is is_changed


RESTING = {"mmg": 51, "firetext": 49}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((10, 20), [20, 30]),
        ((100, 0), [90, 10]),
        ((48, 55), [51, 49]),
        ((51, 39), [51, 49]),
    ],
)
def test_providers_tend_back_to_their_resting_points(
    database: Database, before: tuple[int, int], after: list[int]
) -> None:
    arrange(database, mmg=before[0], firetext=before[1])
    assert act(database, tend_back, RESTING)
    assert priorities(database) == after
    with database.session() as session:
        reasons = {row.reason for row in texts(session) if row.version == 2}
        assert reasons == {"Adjusted back to resting point"}


def test_a_provider_at_rest_gets_no_new_version(database: Database) -> None:
    arrange(database, mmg=51, firetext=49)
    assert not act(database, tend_back, RESTING)
    with database.session() as session:
        assert {row.version for row in texts(session)} == {1}


def test_a_provider_without_a_resting_point_stays(database: Database) -> None:
    arrange(database, mmg=51, firetext=49, sandbox=10)
    assert not act(database, tend_back, RESTING, among=(*BOTH, "sandbox"))
    assert priorities(database, "sandbox") == [10]


@pytest.mark.parametrize(("minutes", "is_changed"), [(14.9, False), (15, True)])
def test_providers_tend_back_only_in_calm(database: Database, minutes: float, is_changed: bool) -> None:
    arrange(database, mmg=10, firetext=90)
    arrange(database, ago=timedelta(minutes=minutes), firetext=90)
    assert act(database, tend_back, RESTING) is is_changed
