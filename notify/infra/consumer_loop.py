"""Detects whether the consumer loop of a Celery worker, which takes tasks from the broker, is stuck."""

from __future__ import annotations

import time
from typing import Any, Final

from celery import Celery
from celery.bootsteps import StartStopStep

TICK_SECONDS: Final = 1.0


class ConsumerLoop:
    """Records each turn of the loop. While the worker is not connected to the broker, no loop runs, which is fine."""

    def __init__(self) -> None:
        self._is_running = False
        self._last_turn = time.monotonic()

    def watch(self, celery: Celery) -> None:
        """Record the turns of this application's worker. Call it before the worker starts."""
        celery.steps["consumer"].add(_step(self))

    def moves(self, seconds: float) -> bool:
        """Whether the loop turned within the last `seconds`, or is not running."""
        return not self._is_running or time.monotonic() - self._last_turn < seconds

    def started(self) -> None:
        """The loop is about to run."""
        self._is_running = True
        self.turned()

    def turned(self) -> None:
        """The loop has turned."""
        self._last_turn = time.monotonic()

    def stopped(self) -> None:
        """The loop has stopped for now."""
        self._is_running = False


def _step(loop: ConsumerLoop) -> type[StartStopStep]:
    class LoopStep(StartStopStep):  # type: ignore[misc]
        """Makes the loop record its turns."""

        requires = ("celery.worker.consumer.tasks:Tasks",)

        def __init__(self, consumer: Any, **options: Any) -> None:
            super().__init__(consumer, **options)
            self._timer: Any = None

        def start(self, consumer: Any) -> None:
            """The consumer is connected."""
            loop.started()
            self._timer = consumer.timer.call_repeatedly(TICK_SECONDS, loop.turned)

        def stop(self, consumer: Any) -> None:
            """The connection is gone, or the worker stops."""
            loop.stopped()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        terminate = shutdown = stop

    return LoopStep
