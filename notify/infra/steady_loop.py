"""An event loop whose clock stands still while the process does (a stopped container, a frozen machine, swapping).

Without it, a process that goes on after a stop finds all time-outs over before it has read what came meanwhile: calls
that were answered count as failed.
"""

from __future__ import annotations

import asyncio
import math
import selectors
import time
from typing import Any, Final

GAP_SECONDS: Final = 1.0
"""What is shorter is an ordinary delay on a busy machine."""


class _Clock:
    """Seconds since some moment, without those in which the loop neither worked nor waited as long as it wanted to."""

    def __init__(self) -> None:
        self.skipped = 0.0
        self._read_at = time.monotonic()

    def read(self, allowed: float = 0.0) -> float:
        """The time. `allowed` seconds may have passed since the last look. If it was much more, none of it counts: the
        loop cannot tell which part of a wait it slept through, and what it waited for may be there.
        """
        now = time.monotonic()
        passed = now - self._read_at
        if passed - allowed > GAP_SECONDS:
            self.skipped += passed
        self._read_at = now
        return now - self.skipped


class _WatchedSelector(selectors.DefaultSelector):
    """Looks at the clock around each wait."""

    def __init__(self, clock: _Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[Any]:
        """As the loop's selector does."""
        self._clock.read()
        ready: list[Any] = super().select(timeout)
        # without a time-out, nothing waits for the clock
        self._clock.read(math.inf if timeout is None else max(timeout, 0.0))
        return ready


class SteadyLoop(asyncio.SelectorEventLoop):
    """Leaves out of its time what it could not use. So answers that wait in the sockets are read before the
    time-outs of their calls are over.
    """

    def __init__(self) -> None:
        self._steady = _Clock()
        super().__init__(_WatchedSelector(self._steady))

    @property
    def skipped_seconds(self) -> float:
        """How many seconds were left out so far."""
        return self._steady.skipped

    def time(self) -> float:
        """Seconds, without those that were left out."""
        return self._steady.read()


def skipped_seconds() -> float:
    """How many seconds the running loop has left out so far; 0 where it is an ordinary one."""
    return float(getattr(asyncio.get_running_loop(), "skipped_seconds", 0.0))
