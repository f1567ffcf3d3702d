"""A background thread that handles queued items in batches."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, TypeVar

import structlog

logger = structlog.get_logger(__name__)
T = TypeVar("T")

AGAIN_SECONDS: Final = 0.5


class Background(Generic[T]):
    """Calls `handle(items)` soon after `put(items)`, in a thread that starts at the first use. Items that arrive within
    `pause` seconds of each other are handled together. If `handle` raises, that is logged and its items are lost. If it
    returns true, it kept something for later: it is called again soon, even without new items.
    """

    def __init__(self, name: str, handle: Callable[[Sequence[T]], bool | None], *, pause: float) -> None:
        self._name = name
        self._handle = handle
        self._pause = pause
        self._waiting: deque[T] = deque()
        self._signal = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._has_more = False

    def put(self, items: Iterable[T]) -> None:
        """Queue items to be handled soon."""
        self._waiting.extend(items)
        if self._thread is None:
            self._start()
        self._signal.set()

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._stopping:
            if not self._has_more:
                self._signal.wait()
            self._signal.clear()
            self._handle_waiting()
            time.sleep(AGAIN_SECONDS if self._has_more else self._pause)

    def _handle_waiting(self) -> None:
        items = [self._waiting.popleft() for _ in range(len(self._waiting))]
        try:
            if items or self._has_more:
                self._has_more = bool(self._handle(items))
        except Exception:
            # keep the thread running
            logger.exception("background work failed", work=self._name, items=len(items))

    def close(self) -> None:
        """Handle the queued items, and stop."""
        self._stopping = True
        self._signal.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self._handle_waiting()
