"""A concurrency limit for coroutines of one loop, whose waiting callers can be refused."""

from __future__ import annotations

import asyncio
from collections import deque


class SlotRefusedError(Exception):
    """The waiting caller was refused a slot."""


class Slots:
    """A fair semaphore whose waiting callers can be refused."""

    def __init__(self, number: int) -> None:
        self._free = number
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def free(self) -> int:
        """The number of free slots."""
        return self._free

    @property
    def waiting(self) -> int:
        """The number of waiting callers."""
        return len(self._waiting)

    async def acquire(self) -> None:
        """Wait for a slot; give it back with `release`. Raises `SlotRefusedError`."""
        if self._free:
            self._free -= 1
            return
        slot = asyncio.get_running_loop().create_future()
        self._waiting.append(slot)
        try:
            await slot
        except asyncio.CancelledError:
            if slot.done() and not slot.cancelled() and slot.exception() is None:
                self.release()  # it was granted just before the cancellation
            raise

    def release(self) -> None:
        """Return a slot: the next waiting caller gets it, if any."""
        while self._waiting:
            slot = self._waiting.popleft()
            if not slot.done():
                slot.set_result(None)
                return
        self._free += 1

    def refuse_waiting(self) -> None:
        """Raise `SlotRefusedError` in all waiting callers."""
        while self._waiting:
            slot = self._waiting.popleft()
            if not slot.done():
                slot.set_exception(SlotRefusedError())
