"""Coalescing of concurrent calls: requests that arrive together share one round trip.

There is no thread and no timer of its own. The first caller leads: it handles its item at once, together with whatever
else is waiting; those who arrive meanwhile wait, and the first of them leads the next batch. So an idle batcher adds
nothing to a lone call, and under load batches grow by themselves to what arrives during one round trip.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


class _Entry(Generic[T, R]):
    __slots__ = ("error", "item", "leads", "result", "wake")

    def __init__(self, item: T) -> None:
        self.item = item
        self.result: R | None = None
        self.error: BaseException | None = None
        self.leads = False
        self.wake = threading.Lock()
        self.wake.acquire()


class Batcher(Generic[T, R]):
    """Calls `handle(items)` with what concurrent `submit(item)` calls brought together.

    `handle` returns one result per item, in order; an item's result may be an exception, which its caller then sees. If
    `handle` raises, every caller of that batch sees that error. At most `leaders` batches are handled at the same time,
    none larger than `max_size`.
    """

    def __init__(
        self, handle: Callable[[list[T]], Sequence[R | BaseException]], *, max_size: int = 500, leaders: int = 1
    ) -> None:
        self._handle = handle
        self._max_size = max_size
        self._free_leaders = leaders
        self._pending: deque[_Entry[T, R]] = deque()
        self._lock = threading.Lock()

    def submit(self, item: T) -> R:
        """The result for `item`; waits for the batch it is part of."""
        entry: _Entry[T, R] = _Entry(item)
        with self._lock:
            if self._free_leaders:
                self._free_leaders -= 1
                entry.leads = True
            else:
                self._pending.append(entry)
        if not entry.leads:
            entry.wake.acquire()
        if entry.leads:
            self._lead(entry)
        if entry.error is not None:
            raise entry.error
        return entry.result  # type: ignore[return-value]

    def _lead(self, leader: _Entry[T, R]) -> None:
        batch = [leader]
        with self._lock:
            while self._pending and len(batch) < self._max_size:
                batch.append(self._pending.popleft())
        try:
            results = self._handle([entry.item for entry in batch])
            for entry, result in zip(batch, results, strict=True):
                if isinstance(result, BaseException):
                    entry.error = result
                else:
                    entry.result = result
        except BaseException as error:  # whatever happened, nobody may wait for ever
            for entry in batch:
                entry.error = error
        with self._lock:
            successor = self._pending.popleft() if self._pending else None
            if successor is None:
                self._free_leaders += 1
            else:
                successor.leads = True
        if successor is not None:
            successor.wake.release()
        for entry in batch[1:]:
            entry.wake.release()
