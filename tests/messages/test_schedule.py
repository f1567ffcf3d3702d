"""When a message is tried again: 300 seconds apart, 48 times, also while all providers are down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from notify.messages.deliver.schedule import NextTry, RetrySchedule

START = datetime(2026, 11, 27, 12, 0, 1, 500_000, UTC)
FOUR_HOURS = 48 * 300


@pytest.fixture
def schedule() -> RetrySchedule:
    return RetrySchedule(300, 48)


@pytest.mark.parametrize(("kind", "first", "number"), [("sms", 2, 47), ("email", 1, 48)])
def test_tries_that_fail_go_on_for_four_hours(schedule: RetrySchedule, kind: str, first: int, number: int) -> None:
    now, tries, planned = START, 0, []
    while next_try := schedule.after_failure(kind, tries, now):
        tries, now = next_try
        planned.append(tries)
    # the first try of a text contains its first retry
    assert planned == list(range(first, 49))
    assert len(planned) == number
    assert (now - START).total_seconds() == pytest.approx(number * 300, abs=5)


@pytest.mark.parametrize("kind", ["sms", "email"])
def test_waiting_for_a_provider_is_no_try_but_takes_time(schedule: RetrySchedule, kind: str) -> None:
    now, counted = START, set()
    state: NextTry | None = schedule.after_waiting(kind, 0, None, now)
    looks = 0
    while state is not None:
        counted.add(state.tries)
        pause = schedule.pause(state.at, now)
        assert 1 <= pause <= 30
        now += timedelta(seconds=pause)
        looks += 1
        state = schedule.after_waiting(kind, *state, now)
    assert counted == {0, *range(2 if kind == "sms" else 1, 49)}
    assert (now - START).total_seconds() == pytest.approx(FOUR_HOURS, abs=600)
    # nobody looks all the time
    assert looks < FOUR_HOURS / 20


def test_a_long_wait_is_looked_at_less_often(schedule: RetrySchedule) -> None:
    due = START + timedelta(seconds=300)
    pauses = [schedule.pause(due, START + timedelta(seconds=waited)) for waited in (0, 5, 10, 20, 100, 290, 299.5)]
    assert pauses == [5, 5, 10, 20, 30, 10, 1]
