"""Turns at something that serves so many at a time, for coroutines of one loop. Those that wait can be sent away."""

from __future__ import annotations

import asyncio
from collections import deque


class SlotRefusedError(Exception):
    """Waiting here is of no use."""


class Slots:
    """As a semaphore, first come, first served; and the queue can be dissolved."""

    def __init__(self, number: int) -> None:
        self._free = number
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def free(self) -> int:
        """How many could be taken at once."""
        return self._free

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    async def take(self) -> None:
        """Wait for a turn; give it back with `give_back`. Raises `SentAwayError`."""
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.give_back()  # it came at the moment we left
            raise

    def give_back(self) -> None:
        """The next in the queue has the turn, if anybody waits."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def send_away(self) -> None:
        """All that wait get a `SentAwayError`."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(SlotRefusedError())
