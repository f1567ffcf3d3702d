"""Child processes that never outlive us.

Every child leads a new session, so that Ctrl-C in a terminal reaches only the parent, which stops its children
in order. Each child has a watcher (a few lines of shell, blocked on a pipe): if the parent ends without stopping the
child, even by SIGKILL, the pipe closes and the watcher stops the child. That works on every POSIX system and, unlike a
parent-death signal, does not depend on which thread started the child.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import NamedTuple

import psutil

_WATCHER = """
read -r line; [ "$line" = released ] && exit 0
kill -s "$2" -- "$1"
for _ in 1 2 3 4 5 6 7 8 9 10; do kill -s 0 -- "-$1" || exit 0; sleep 0.5; done
kill -s KILL -- "-$1"
"""
POLL_SECONDS = 0.02


class Account(NamedTuple):
    """The user and group that a process runs as."""

    uid: int
    gid: int


class Child:
    """A running child process and its watcher."""

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
        account: Account | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace_seconds: float = 10.0,
    ) -> None:
        """Start `command`. Its output is appended to `log` (None: our own output). `stop_signal` asks it to end;
        processes left after `grace_seconds` are killed. Raises `OSError` if it cannot be started.
        """
        self.stop_signal = stop_signal
        self.grace_seconds = grace_seconds
        self._is_asked = False
        with open(log, "ab") if log else nullcontext() as output:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                env=dict(environment) if environment is not None else None,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                start_new_session=True,
            )
        self.pid = self._process.pid
        self._watcher: subprocess.Popen[bytes] | None = subprocess.Popen(
            ["/bin/sh", "-c", _WATCHER, "notify-watcher", str(self.pid), stop_signal.name.removeprefix("SIG")],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def poll(self) -> int | None:
        """The exit code (minus the signal's number if a signal killed it), or None while it runs."""
        code = self._process.poll()
        if code is not None:
            self._clear_up()
        return code

    def wait(self, seconds: float) -> int | None:
        """Wait at most `seconds` for it to end. The exit code, or None."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self.poll()

    def ask_to_stop(self) -> None:
        """Send the stop signal, and do not wait. It is sent once: many programs end at once at a second one."""
        if not self._is_asked and self._process.poll() is None:
            self._is_asked = True
            self._process.send_signal(self.stop_signal)

    def stop(self) -> int:
        """Ask it to stop, wait, kill what is left. Returns the exit code. Safe to call again."""
        self.ask_to_stop()
        code = self.wait(self.grace_seconds)
        if code is None:
            self._kill_group()
            code = self._process.wait()
            self._clear_up()
        return code

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _clear_up(self) -> None:
        """Called when the leader has ended: kill the rest of its group, and release the watcher."""
        if self._watcher is None:
            return
        self._kill_group()
        with suppress(BrokenPipeError):
            self._watcher.communicate(b"released\n")
        self._watcher = None


def started_at(pid: int) -> float:
    """When a process started, in epoch seconds, to tell it from a later one with the same id. 0 if there is none."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def stop_leftover_group(pid: int, noted: float, *, grace_seconds: float = 5.0) -> bool:
    """Stop a child that an earlier parent left behind, with all it started, if it is still the same process: its
    `started_at` is `noted`. Returns whether it was stopped.
    """
    if not noted or started_at(pid) != noted:
        return False
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        process.terminate()
        _await_end(process, grace_seconds)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    return True


def stop_leftover(pid: int, needle: str, *, stop_signal: signal.Signals, grace_seconds: float = 10.0) -> bool:
    """Stop a process that an earlier parent left behind, if `pid` still is that process: its command line must contain
    `needle` (the id alone may belong to another process by now). Returns whether it was stopped.
    """
    try:
        process = psutil.Process(pid)
        if not any(needle in word for word in process.cmdline()):
            return False
        process.send_signal(stop_signal)
        if not _await_end(process, grace_seconds):
            process.kill()
            _await_end(process, grace_seconds)
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False
    return True


def _await_end(process: psutil.Process, seconds: float) -> bool:
    """Wait for the end of a process that is not our child. A zombie has ended too."""
    deadline = time.monotonic() + seconds
    with suppress(psutil.NoSuchProcess):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
    return True
