"""The garbage collector of processes that serve for long."""

from __future__ import annotations

import gc
from typing import Final

YOUNG: Final = 10_000
"""Objects that are made before the collector looks at them. By the interpreter's default it looks after 700, and at all
objects of the process, modules included, so often that it took a third of the time of a delivery."""
MIDDLE: Final = 20
OLD: Final = 20


def collect_seldom() -> None:
    """Have the collector look seldom. Call this before a process loads modules: what they make stays, and looking at it
    again and again takes a fifth of the time of loading.
    """
    gc.set_threshold(YOUNG, MIDDLE, OLD)


def settle_garbage_collector() -> None:
    """Call this when a process has loaded what it needs: what is in memory now is never looked at again, and
    processes that are forked share it because nobody writes to it. What comes later is looked at seldom: nearly
    everything is freed by its reference count.
    """
    gc.collect()
    gc.freeze()
    collect_seldom()
