"""An event loop whose clock stops while the process does (a paused container, a suspended machine, swapping).

Without it, a process that resumes finds all timeouts expired before it has read the answers that arrived meanwhile, so
that answered calls count as failed.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import time
from typing import Any, Final

GAP_SECONDS: Final = 1.0
"""Shorter gaps (seconds) are ordinary delays on a busy machine."""


class _Clock:
    """Monotonic seconds, without the time in which the process was stopped."""

    def __init__(self) -> None:
        self.skipped = 0.0
        self._read_at = time.monotonic()

    def read(self, allowed: float = 0.0) -> float:
        """The time. `allowed` seconds may have passed since the last call. If it was much more, none of it counts: the
        loop cannot tell for which part of a wait it was stopped, and the awaited data may have arrived.
        """
        now = time.monotonic()
        passed = now - self._read_at
        if passed - allowed > GAP_SECONDS:
            self.skipped += passed
        self._read_at = now
        return now - self.skipped


class _WatchedSelector(selectors.DefaultSelector):
    """Reads the clock before and after each wait."""

    def __init__(self, clock: _Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[Any]:
        """As the loop's selector does."""
        self._clock.read()
        ready: list[Any] = super().select(timeout)
        # without a timeout, nothing depends on the clock
        self._clock.read(math.inf if timeout is None else max(timeout, 0.0))
        return ready


class SteadyLoop(asyncio.SelectorEventLoop):
    """An event loop that does not count the time in which the process was stopped, so that answers waiting in sockets
    are read before the timeouts of their calls.
    """

    def __init__(self) -> None:
        self._steady = _Clock()
        super().__init__(_WatchedSelector(self._steady))

    @property
    def skipped_seconds(self) -> float:
        """Seconds left out so far."""
        return self._steady.skipped

    def time(self) -> float:
        """Monotonic seconds, without those left out."""
        return self._steady.read()


def skipped_seconds() -> float:
    """Seconds that the running loop has left out so far; 0 for an ordinary loop."""
    return float(getattr(asyncio.get_running_loop(), "skipped_seconds", 0.0))
