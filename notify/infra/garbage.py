"""The garbage collector of processes that serve for long."""

from __future__ import annotations

import gc
from typing import Final

YOUNG: Final = 10_000
"""Objects that are made before the collector looks at them. By the interpreter's default it looks after 700, and at all
objects of the process, modules included, so often that it took a third of the time of a delivery."""
MIDDLE: Final = 20
OLD: Final = 20


def settle_garbage_collector() -> None:
    """Call this when a process has loaded what it needs: what is in memory now is never looked at again, and
    processes that are forked share it because nobody writes to it. What comes later is looked at seldom: nearly
    everything is freed by its reference count.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
