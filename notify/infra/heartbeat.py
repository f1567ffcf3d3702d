"""Heartbeats: child processes send one every second, and their parent kills those that stop.

The parent creates `Heartbeats` before its children start. Each child calls `beat`. If the process is stopped, starved
or stuck, the heartbeats cease, and a `Watchdog` in the parent kills it. The parent then starts another.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import psutil
import structlog

logger = structlog.get_logger(__name__)

BEAT_SECONDS: Final = 1.0
_PAUSED_SECONDS: Final = 5.0
"""If the parent itself did not run for this long, its children probably could not run either."""
_CLAIM_SECONDS: Final = 5.0


class _Slot(ctypes.Structure):
    _fields_ = (("pid", ctypes.c_longlong), ("beat_at", ctypes.c_double), ("replaces_hung", ctypes.c_longlong))


class Heartbeats:
    """The time of the last heartbeat of each child, in shared memory."""

    def __init__(self, children: int) -> None:
        """For `children` processes, and as many again that are ending."""
        # works for both kinds of children: forked, and spawned
        context = multiprocessing.get_context()
        self._slots = multiprocessing.RawArray(_Slot, 2 * children + 1)
        self._lock = context.Lock()

    def beat(self, probe: Callable[[], bool]) -> bool:
        """Send heartbeats from now on, in a thread, as long as `probe` is true. Returns whether this process replaces
        one that hung.
        """
        slot = self._claim()
        replaces_hung, slot.replaces_hung = bool(slot.replaces_hung), 0
        parent = os.getppid()

        def run() -> None:
            while os.getppid() == parent:
                if probe():
                    slot.beat_at = time.monotonic()
                time.sleep(BEAT_SECONDS)
            os.kill(os.getpid(), signal.SIGTERM)  # the parent is gone

        threading.Thread(target=run, name="heartbeat", daemon=True).start()
        return replaces_hung

    def _claim(self) -> _Slot:
        locked = self._lock.acquire(timeout=_CLAIM_SECONDS)  # longer only if a child was stopped just here
        try:
            slots: list[_Slot] = list(self._slots)
            free = [slot for slot in slots if not slot.pid or not psutil.pid_exists(slot.pid)]
            # prefer the slot of a process that hung
            slot = max(free or slots, key=lambda one: one.replaces_hung)
            slot.beat_at = time.monotonic()
            slot.pid = os.getpid()
        finally:
            if locked:
                self._lock.release()
        return slot

    def kill_silent(self, seconds: float) -> list[int]:
        """Kill the children without a heartbeat for `seconds`. Returns their ids."""
        killed = []
        for slot in self._slots:
            pid, silent = slot.pid, time.monotonic() - slot.beat_at
            if not pid or silent <= seconds:
                continue
            slot.pid = 0
            with suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.ppid() == os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    slot.replaces_hung = 1
                    process.kill()
                    killed.append(pid)
        return killed


class Watchdog:
    """Kills children without a heartbeat for `seconds`."""

    def __init__(self, name: str, heartbeats: Heartbeats, seconds: float) -> None:
        """`name` is the children's name in the log."""
        self._name = name
        self._heartbeats = heartbeats
        self._seconds = seconds
        self._last_look = self._patient_until = time.monotonic()

    def start(self) -> None:
        """Watch in a thread, until this process ends."""
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(BEAT_SECONDS)
            self.look()

    def look(self) -> list[int]:
        """Kill silent children now. Returns their ids."""
        now = time.monotonic()
        if now - self._last_look > _PAUSED_SECONDS:
            self._patient_until = now + self._seconds
        self._last_look = now
        if now < self._patient_until:
            return []
        killed = self._heartbeats.kill_silent(self._seconds)
        for pid in killed:
            logger.error("process gave no sign of life and was killed", process=self._name, pid=pid)
        return killed
