"""A bounded number of permits to work, of which only a share may be used by one class of requests."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Final

from notify.infra.errors import BusyError

_CLASSES: Final = 2


class _Waiter:
    __slots__ = ("granted", "restricted", "since", "wake")

    def __init__(self, restricted: bool) -> None:
        self.restricted = restricted
        self.granted = False
        self.since = time.monotonic()
        self.wake = threading.Lock()
        self.wake.acquire()


class Permits:
    """`total` permits, of which `restricted` ones (see `acquire`) may use at most `share` at the same time."""

    def __init__(self, total: int, share: int, *, wait_seconds: float, max_waiting: int) -> None:
        """A caller waits at most `wait_seconds` for a permit. If `max_waiting` callers of its class already wait, it is
        refused at once.
        """
        self._free = total
        self._free_restricted = share
        self._wait_seconds = wait_seconds
        self._max_waiting = max_waiting
        self._lock = threading.Lock()
        self._waiting: tuple[deque[_Waiter], ...] = tuple(deque() for _ in range(_CLASSES))
        self._last_release = time.monotonic()

    def acquire(self, restricted: bool) -> None:
        """Take a permit, in order of arrival. Raises `BusyError` if none becomes free in time."""
        with self._lock:
            if self._free > 0 and (not restricted or self._free_restricted > 0):
                self._take(restricted)
                return
            queue = self._waiting[restricted]
            if len(queue) >= self._max_waiting:
                raise BusyError
            waiter = _Waiter(restricted)
            queue.append(waiter)
        if waiter.wake.acquire(timeout=self._wait_seconds):
            return
        with self._lock:
            if waiter.granted:  # granted between the timeout and the lock
                return
            queue.remove(waiter)
        raise BusyError

    def release(self, restricted: bool) -> None:
        """Return a permit."""
        waiter = None
        with self._lock:
            self._free += 1
            self._free_restricted += restricted
            if self._waiting[0] or self._waiting[1]:
                self._last_release = time.monotonic()
                waiter = self._next()
                if waiter is not None:
                    waiter.granted = True
                    self._take(waiter.restricted)
        if waiter is not None:
            waiter.wake.release()

    def stalled_seconds(self) -> float:
        """Seconds since the last permit was returned, while callers wait. 0 if none waits."""
        with self._lock:
            if self._free > 0 or not any(self._waiting):
                return 0.0
            oldest = min(queue[0].since for queue in self._waiting if queue)
            return time.monotonic() - max(self._last_release, oldest)

    def _take(self, restricted: bool) -> None:
        self._free -= 1
        self._free_restricted -= restricted

    def _next(self) -> _Waiter | None:
        """The longest waiting caller that may have a permit now."""
        unrestricted, restricted = self._waiting
        may_pick = bool(restricted) and self._free_restricted > 0
        if may_pick and not (unrestricted and unrestricted[0].since < restricted[0].since):
            return restricted.popleft()
        return unrestricted.popleft() if unrestricted else None
