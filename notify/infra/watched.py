"""Runs the work of a process in a child process that is replaced if it hangs."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Final

from notify.infra.heartbeat import BEAT_SECONDS, Heartbeats, Watchdog
from notify.infra.telemetry import flush_logs

Beat = Callable[[Callable[[], bool]], bool]
"""`Heartbeats.beat`."""

FORWARDED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_SET_PARENT_DEATH_SIGNAL: Final = 1
_RESTART_SECONDS: Final = 1.0


def run_watched(name: str, work: Callable[[Beat], int], *, hung_seconds: float) -> int:
    """Run `work` in a child process. `work` must call its argument with a probe, which starts the heartbeat: a child
    without a heartbeat for `hung_seconds` is killed and replaced. Signals are forwarded to it. If it ends by itself,
    returns its exit code as a shell shows it. Call it from the main thread, before there are others.
    """
    heartbeats = Heartbeats(1)
    watchdog = Watchdog(name, heartbeats, hung_seconds)
    child = 0
    asked_to_stop = False

    def forward(number: int, _frame: FrameType | None) -> None:
        nonlocal asked_to_stop
        asked_to_stop = asked_to_stop or number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
        if child:
            with suppress(ProcessLookupError):
                os.kill(child, number)

    before = {number: signal.getsignal(number) for number in FORWARDED}
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    for number in FORWARDED:
        signal.signal(number, forward)
    while True:
        child = os.fork()
        if child == 0:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
            _end(_run(work, heartbeats))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
        status, was_killed = _wait(child, watchdog)
        if asked_to_stop or not was_killed:
            flush_logs()
            return status if status >= 0 else 128 - status
        time.sleep(_RESTART_SECONDS)
        signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)


def _wait(child: int, watchdog: Watchdog) -> tuple[int, bool]:
    """Wait for the child. Its exit code (or minus the signal's number), and whether we killed it."""
    was_killed = False
    next_look = time.monotonic() + BEAT_SECONDS
    pause = 0.01
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status), was_killed
        if time.monotonic() >= next_look:
            next_look = time.monotonic() + BEAT_SECONDS
            was_killed = bool(watchdog.look()) or was_killed
        time.sleep(pause)
        pause = min(pause * 2, 0.1)


def _run(work: Callable[[Beat], int], heartbeats: Heartbeats) -> int:
    with suppress(OSError):
        os.setpgid(0, 0)  # so that Ctrl-C in a terminal only reaches the parent, which forwards it
    parent = os.getppid()
    _die_with_parent()
    if os.getppid() != parent:  # the parent has already ended
        return 1
    try:
        return work(heartbeats.beat)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1


def _end(code: int) -> None:
    """End this child like a process that was not forked."""
    sys.exit(code)


def _die_with_parent() -> None:
    """Make the kernel kill this process with its parent. If it cannot, the heartbeat notices a second later."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
