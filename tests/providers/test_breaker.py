"""When calls to a provider stop, and when they start again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.providers.breaker import Breaker, Call


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Tried:
    """A breaker and the clock it looks at."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.breaker = Breaker(clock=self.clock)

    def call(self, is_up: bool | None, times: int = 1) -> None:
        for _ in range(times):
            self.breaker.end(self.breaker.begin(), is_up=is_up)

    def begin(self, times: int) -> list[Call]:
        return [self.breaker.begin() for _ in range(times)]

    def end(self, calls: list[Call], is_up: bool) -> None:
        for call in calls:
            self.breaker.end(call, is_up=is_up)

    def state(self) -> str:
        return self.breaker.state

    def open(self) -> None:
        self.call(False, 5)
        assert self.state() == "open"


@pytest.fixture
def tried() -> Tried:
    return Tried()


def test_five_failures_in_a_row_open_it(tried: Tried) -> None:
    tried.call(False, 4)
    tried.call(True)
    tried.call(False, 4)
    assert tried.state() == "closed"
    assert tried.breaker.allows()
    tried.call(False)
    assert tried.state() == "open"
    assert not tried.breaker.allows()


def test_half_of_the_last_twenty_failing_opens_it(tried: Tried) -> None:
    for _ in range(9):
        tried.call(True)
        tried.call(False)
    tried.call(True)
    assert tried.state() == "closed"
    tried.call(False)
    assert tried.state() == "open"


def test_a_few_failures_among_many_answers_do_not_matter(tried: Tried) -> None:
    for _ in range(200):
        tried.call(True, 3)
        tried.call(False, 2)
    assert tried.state() == "closed"


def test_after_a_second_three_at_a_time_may_try(tried: Tried) -> None:
    tried.open()
    tried.clock.now += 0.99
    assert not tried.breaker.allows()
    tried.clock.now += 0.02
    assert tried.state() == "half-open"
    for _ in range(3):
        assert tried.breaker.allows()
        tried.breaker.begin()
    assert not tried.breaker.allows()


def test_three_answers_close_it(tried: Tried) -> None:
    tried.open()
    tried.clock.now += 1
    tried.call(True, 2)
    assert tried.state() == "half-open"
    tried.call(True)
    assert tried.state() == "closed"
    # and the failures of before are forgotten
    tried.call(False, 4)
    assert tried.state() == "closed"


def test_each_failed_try_doubles_the_pause_up_to_half_a_minute(tried: Tried) -> None:
    tried.open()
    pauses = []
    for _ in range(8):
        began = tried.clock.now
        while not tried.breaker.allows():
            tried.clock.now += 0.5
        pauses.append(tried.clock.now - began)
        tried.call(False)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    tried.clock.now += 30
    tried.call(True, 3)
    tried.open()
    tried.clock.now += 1
    assert tried.state() == "half-open"


def test_calls_that_started_before_it_opened_are_ignored_later(tried: Tried) -> None:
    late = tried.begin(50)
    tried.open()
    tried.end(late[:10], is_up=False)
    tried.clock.now += 1
    assert tried.state() == "half-open"
    tried.end(late[10:20], is_up=False)
    tried.end(late[20:30], is_up=True)
    assert tried.state() == "half-open"
    assert tried.breaker.allows()
    tried.call(True, 3)
    tried.end(late[30:], is_up=False)
    assert tried.state() == "closed"


def test_calls_without_an_answer_make_it_hang_after_a_second(tried: Tried) -> None:
    calls = tried.begin(3)
    tried.clock.now += 0.99
    assert tried.state() == "closed"
    tried.clock.now += 0.02
    assert tried.state() == "hanging"
    assert tried.breaker.allows()
    tried.end(calls, is_up=True)
    assert tried.state() == "closed"


def test_two_slow_calls_are_not_hanging_yet(tried: Tried) -> None:
    tried.begin(2)
    tried.clock.now += 9
    tried.begin(10)
    assert tried.state() == "closed"


def test_a_slow_provider_that_answers_steadily_does_not_hang(tried: Tried) -> None:
    calls: list[Call] = []
    for _ in range(100):
        calls += tried.begin(2)
        tried.clock.now += 0.5
        if len(calls) > 8:  # each takes two seconds
            tried.end([calls.pop(0), calls.pop(0)], is_up=True)
            assert tried.state() == "closed"


def test_time_outs_after_hanging_open_it(tried: Tried) -> None:
    calls = tried.begin(5)
    tried.clock.now += 10
    tried.end(calls, is_up=False)
    assert tried.state() == "open"


def test_calls_that_we_gave_up_do_not_count(tried: Tried) -> None:
    tried.call(None, 20)
    assert tried.state() == "closed"


@given(st.lists(st.tuples(st.sampled_from(["begin", "up", "down", "given up"]), st.floats(0, 40))))
def test_it_never_stays_shut_for_more_than_half_a_minute(steps: list[tuple[str, float]]) -> None:
    tried = Tried()
    under_way: list[Call] = []
    outcomes = {"up": True, "down": False, "given up": None}
    for step, seconds in steps:
        tried.clock.now += seconds
        if step == "begin" and tried.breaker.allows():
            under_way += tried.begin(1)
        elif step in outcomes and under_way:
            tried.breaker.end(under_way.pop(0), is_up=outcomes[step])
    for call in under_way:
        tried.breaker.end(call, is_up=None)
    tried.clock.now += 30
    assert tried.breaker.allows()
    assert tried.state() != "open"
    tried.call(True, 3)
    assert tried.state() == "closed"
