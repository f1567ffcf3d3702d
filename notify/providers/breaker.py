"""A circuit breaker: stops calls to a provider that is down (docs/decisions/0010).

It is pure state with a clock. The caller reports the beginning and the end of each call, all in one thread. Libraries
only count calls that have ended, and so do not notice a provider that hangs.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final, Literal

State = Literal["closed", "hanging", "open", "half-open"]

FAILURES_IN_A_ROW: Final = 5
RECENT_CALLS: Final = 20
HANGING_CALLS: Final = 3
HANGING_SECONDS: Final = 1.0
PROBES: Final = 3
FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 30.0


class Call:
    """A running call."""

    __slots__ = ("began", "era")

    def __init__(self, began: float, era: int) -> None:
        self.began = began
        self.era = era


class Breaker:
    """Decides whether to call a provider.

    - `closed`: the provider answers.
    - `hanging`: three calls have waited for more than a second, and none was answered for as long. New calls should go
      elsewhere; the state ends with the next answer, or when the calls end.
    - `open`: five calls failed in a row, or half of the last twenty. No calls for a second; after each further failure
      for twice as long, up to 30 seconds.
    - `half-open`: after that, three calls at a time may try. Three answers close the breaker, one failure opens it.

    A call counts for the state in which it began: calls running when the breaker opened do not count later.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._under_way: dict[Call, None] = {}
        self._recent: deque[bool] = deque(maxlen=RECENT_CALLS)
        self._failures_in_a_row = 0
        self._answered_at = float("-inf")
        self._era = 0
        self._pause = FIRST_PAUSE_SECONDS
        self._open_until: float | None = None
        self._answered_probes = 0

    @property
    def state(self) -> State:
        """The state now."""
        if self._open_until is not None:
            return "open" if self._clock() < self._open_until else "half-open"
        return "hanging" if self._hangs() else "closed"

    def allows(self) -> bool:
        """Whether a call may begin now; also true in the state `hanging`."""
        if self._open_until is None:
            return True
        if self._clock() < self._open_until:
            return False
        return sum(call.era == self._era for call in self._under_way) < PROBES

    def begin(self) -> Call:
        """A call begins. Always report its end with `end`."""
        call = Call(self._clock(), self._era)
        self._under_way[call] = None
        return call

    def end(self, call: Call, *, is_up: bool | None) -> None:
        """A call ended. `is_up`: whether the provider's answer shows that it works; None if the call was cancelled for
        our own reasons.
        """
        del self._under_way[call]
        if is_up:
            self._answered_at = self._clock()
        if is_up is None or call.era != self._era:
            return
        if self._open_until is not None:
            self._judge_probe(is_up)
        else:
            self._count(is_up)

    def _count(self, is_up: bool) -> None:
        self._recent.append(is_up)
        self._failures_in_a_row = 0 if is_up else self._failures_in_a_row + 1
        if is_up:
            return
        if self._failures_in_a_row >= FAILURES_IN_A_ROW or self._recent.count(False) * 2 >= RECENT_CALLS:
            self._open()

    def _judge_probe(self, is_up: bool) -> None:
        if not is_up:
            self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)
            self._open()
            return
        self._answered_probes += 1
        if self._answered_probes >= PROBES:
            self._era += 1
            self._open_until = None
            self._pause = FIRST_PAUSE_SECONDS

    def _open(self) -> None:
        self._era += 1
        self._open_until = self._clock() + self._pause
        self._answered_probes = 0
        self._failures_in_a_row = 0
        self._recent.clear()

    def _hangs(self) -> bool:
        # calls are in the order of their beginning: the first three are the oldest
        youngest_of_oldest = next(islice(self._under_way, HANGING_CALLS - 1, None), None)
        if youngest_of_oldest is None:
            return False
        before = self._clock() - HANGING_SECONDS
        return youngest_of_oldest.began <= before and self._answered_at <= before
