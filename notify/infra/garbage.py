"""Configures the garbage collector of long-running processes."""

from __future__ import annotations

import gc
from typing import Final

YOUNG: Final = 10_000
"""New objects between two collections. By default there are 700, and full collections (modules included) are so
frequent that they took a third of the time of a delivery."""
MIDDLE: Final = 20
OLD: Final = 20


def collect_seldom() -> None:
    """Have the collector look seldom. Call this before a process loads modules: what they make stays, and looking at it
    again and again takes a fifth of the time of loading.
    """
    gc.set_threshold(YOUNG, MIDDLE, OLD)


def settle_garbage_collector() -> None:
    """Call this when a process has loaded what it needs. The objects in memory now are never scanned again, so that
    forked processes keep sharing them. Later objects are scanned rarely, because reference counting frees nearly all.

    """
    gc.collect()
    gc.freeze()
    collect_seldom()
