"""Whether the loop of a Celery worker, which takes tasks from the broker, still turns."""

from __future__ import annotations

import time
from typing import Any, Final

from celery import Celery
from celery.bootsteps import StartStopStep

TICK_SECONDS: Final = 1.0


class ConsumerLoop:
    """Notes each turn of the loop. While the worker is not connected to the broker there is no loop, and no harm."""

    def __init__(self) -> None:
        self._is_running = False
        self._last_turn = time.monotonic()

    def watch(self, celery: Celery) -> None:
        """Note the turns of this application's worker, which has not started yet."""
        celery.steps["consumer"].add(_step(self))

    def moves(self, seconds: float) -> bool:
        """Whether it turned within so many seconds."""
        return not self._is_running or time.monotonic() - self._last_turn < seconds

    def started(self) -> None:
        """The loop is about to run."""
        self._is_running = True
        self.turned()

    def turned(self) -> None:
        """It runs."""
        self._last_turn = time.monotonic()

    def stopped(self) -> None:
        """It does not run for now."""
        self._is_running = False


def _step(loop: ConsumerLoop) -> type[StartStopStep]:
    class LoopStep(StartStopStep):  # type: ignore[misc]
        """Has the loop note its turns."""

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
