"""Coalescing of concurrent calls: requests that arrive together share one round trip.

There is no thread and no timer. The first caller leads: it handles its item at once, together with all waiting ones.
Callers that arrive meanwhile wait, and the first of them leads the next batch. So an idle batcher adds no delay to a
single call, and under load a batch grows to the calls that arrive during one round trip.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from notify.infra.errors import BusyError

T = TypeVar("T")
R = TypeVar("R")

WEB_WAIT_SECONDS: Final = 5.0
"""How long an item of a request waits for the batch that it will be part of."""
SLOW_SECONDS: Final = 2.5
"""A batch that has taken so long is slow: what it waits for is in trouble."""
MAX_WAITING: Final = 16
"""Most items that may wait behind a slow batch."""


class _Entry(Generic[T, R]):
    __slots__ = ("error", "is_taken", "item", "leads", "result", "wake")

    def __init__(self, item: T) -> None:
        self.item = item
        self.result: R | None = None
        self.error: BaseException | None = None
        self.leads = False
        self.is_taken = False
        self.wake = threading.Lock()
        self.wake.acquire()


class Batcher(Generic[T, R]):
    """Calls `handle(items)` with the items of concurrent `submit(item)` calls.

    `handle` returns one result for each item, in order; a result may be an exception, which the caller of that item
    then gets. If `handle` raises, every caller of that batch gets that error. At most `leaders` batches are handled at
    the same time, none larger than `max_size`.

    With `wait_seconds`, an item waits at most that long for its batch to begin, and is refused at once if
    `MAX_WAITING` others already wait behind a slow batch. Refused items were not handled. Once begun, a batch must end
    by itself: `handle` needs its own timeouts.
    """

    def __init__(
        self,
        handle: Callable[[list[T]], Sequence[R | BaseException]],
        *,
        max_size: int = 500,
        leaders: int = 1,
        wait_seconds: float | None = None,
    ) -> None:
        self._handle = handle
        self._max_size = max_size
        self._free_leaders = leaders
        self._wait_seconds = wait_seconds
        self._pending: deque[_Entry[T, R]] = deque()
        self._lock = threading.Lock()
        self._last_start = time.monotonic()

    def submit(self, item: T) -> R:
        """The result for `item`; waits for its batch. Raises `BusyError` if that does not begin in time."""
        entry: _Entry[T, R] = _Entry(item)
        with self._lock:
            if self._free_leaders:
                self._free_leaders -= 1
                entry.leads = entry.is_taken = True
            else:
                if self._is_stuck():
                    raise BusyError
                self._pending.append(entry)
        if not entry.leads:
            self._wait(entry)
        if entry.leads:
            self._lead(entry)
        if entry.error is not None:
            raise entry.error
        return entry.result  # type: ignore[return-value]

    def _is_stuck(self) -> bool:
        return (
            self._wait_seconds is not None
            and len(self._pending) >= MAX_WAITING
            and time.monotonic() - self._last_start > SLOW_SECONDS
        )

    def _wait(self, entry: _Entry[T, R]) -> None:
        """Wait until the entry is handled, or is to lead. Raises `BusyError`."""
        if self._wait_seconds is None:
            entry.wake.acquire()
        elif not entry.wake.acquire(timeout=self._wait_seconds):
            with self._lock:
                if not entry.is_taken:
                    self._pending.remove(entry)
                    raise BusyError
            entry.wake.acquire()

    def _lead(self, leader: _Entry[T, R]) -> None:
        batch = [leader]
        with self._lock:
            self._last_start = time.monotonic()
            while self._pending and len(batch) < self._max_size:
                batch.append(self._pending.popleft())
                batch[-1].is_taken = True
        try:
            results = self._handle([entry.item for entry in batch])
            for entry, result in zip(batch, results, strict=True):
                if isinstance(result, BaseException):
                    entry.error = result
                else:
                    entry.result = result
        except BaseException as error:  # whatever happens, no caller may wait forever
            for entry in batch:
                entry.error = error
        with self._lock:
            successor = self._pending.popleft() if self._pending else None
            if successor is None:
                self._free_leaders += 1
            else:
                successor.leads = successor.is_taken = True
        if successor is not None:
            successor.wake.release()
        for entry in batch[1:]:
            entry.wake.release()
