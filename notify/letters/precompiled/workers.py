"""Child processes that read untrusted PDFs (docs/decisions/0031-pdfs-in-child-processes.md).

A malicious PDF can crash its reader, exhaust the memory or take forever. So it is only read in a child process, which
has limits and no secrets in its environment, and exchanges bytes with us. Children are reused, because a start takes
longer than a letter. One that dies or is too slow is replaced, and so is one that has done many jobs.

The cost of a PDF is judged by the CPU time of its child: on a busy machine a good letter may take long, and must not
fail for that. It is tried again later.
"""

from __future__ import annotations

import atexit
import os
import select
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil
import structlog

import notify
from notify.infra.errors import BusyError
from notify.letters.precompiled import frames
from notify.letters.precompiled.errors import PageMissingError, UnreadablePdfError

logger = structlog.get_logger(__name__)

JOB_SECONDS: Final = 30.0
"""Longest wall-clock time for one PDF. Its child ends itself after `child.CPU_SECONDS` of CPU time."""
GUILTY_CPU_SECONDS: Final = 4.0
"""A PDF that used this much CPU time and was not done in `JOB_SECONDS` is to blame: a letter takes 0.04."""
WAIT_SECONDS: Final = 20.0
"""Longest wait for a free child."""
JOBS_OF_CHILD: Final = 250
MOST_CHILDREN: Final = max(1, min(4, os.cpu_count() or 1))
_CHUNK: Final = 1024 * 1024
_COMMAND: Final = (sys.executable, "-P", "-s", "-m", "notify.letters.precompiled.child")


class _ChildGoneError(Exception):
    """The child has ended, takes too long, or sent an invalid message."""


class _InnocentError(Exception):
    """The job was not done, and its PDF is not to blame."""


class _Child:
    """One child process. Used by one thread at a time."""

    def __init__(self) -> None:
        # its environment has the path of this package, and nothing else of ours
        environment = {"PYTHONPATH": str(Path(notify.__file__).parent.parent), "PATH": "/usr/bin:/bin"}
        self._process = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            start_new_session=True,
        )
        self.pid = self._process.pid
        self.jobs = 0
        assert self._process.stdin is not None  # noqa: S101
        assert self._process.stdout is not None  # noqa: S101
        self._to, self._from = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)

    def ask(self, about: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
        """Send a job and wait for its answer. Raises `_ChildGoneError`, and `_InnocentError` if the machine was too
        busy or something outside killed the child. After both the child cannot be used again.
        """
        deadline, used = time.monotonic() + JOB_SECONDS, self._cpu_seconds()
        self.jobs += 1
        try:
            self._write(frames.packed(about, content), deadline)
            text, size = frames.lengths(self._read(frames.LENGTHS_SIZE, deadline))
            return frames.parsed(self._read(text, deadline)), self._read(size, deadline)
        except frames.BrokenFrameError:
            raise _ChildGoneError("its answer is malformed") from None
        except TimeoutError:
            if self._cpu_seconds() - used < GUILTY_CPU_SECONDS:
                raise _InnocentError("it waits for a processor") from None
            raise _ChildGoneError("it takes too long") from None
        except _ChildGoneError:
            with suppress(subprocess.TimeoutExpired):  # the pipe may close just before the process ends
                if self._process.wait(1) == -signal.SIGKILL:
                    raise _InnocentError("it was killed") from None
            raise

    def _cpu_seconds(self) -> float:
        """The CPU time it has used so far."""
        try:
            times = psutil.Process(self.pid).cpu_times()
        except psutil.Error:
            return 0.0
        return float(times.user + times.system)

    def is_alive(self) -> bool:
        """Whether it still runs, as far as can be told."""
        return self._process.poll() is None

    def end(self) -> None:
        """Kill it if it still runs, and wait for its end."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]

    def _write(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            self._await(self._to, select.POLLOUT, deadline)
            try:
                view = view[os.write(self._to, view[:_CHUNK]) :]
            except BlockingIOError:
                continue
            except OSError:
                raise _ChildGoneError("it has ended") from None

    def _read(self, size: int, deadline: float) -> bytes:
        found = bytearray()
        while len(found) < size:
            self._await(self._from, select.POLLIN, deadline)
            try:
                piece = os.read(self._from, min(size - len(found), _CHUNK))
            except BlockingIOError:
                continue
            if not piece:
                raise _ChildGoneError("it has ended")
            found += piece
        return bytes(found)

    def _await(self, pipe: int, event: int, deadline: float) -> None:
        poll = select.poll()
        poll.register(pipe, event)
        left = deadline - time.monotonic()
        if left <= 0 or not poll.poll(left * 1000):
            raise TimeoutError


class PdfWorkers:
    """The children of this process: at most `MOST_CHILDREN` jobs at a time, others wait. Thread-safe."""

    def __init__(self, children: int = MOST_CHILDREN) -> None:
        self._slots = threading.BoundedSemaphore(children)
        self._lock = threading.Lock()
        self._idle: list[_Child] = []

    def run(self, job: str, content: bytes, **about: Any) -> tuple[dict[str, Any], bytes]:
        """Let a child do a job with `about` and bytes; returns its answer.

        Raises `UnreadablePdfError` for a PDF that cannot be read or broke a limit; `PageMissingError`; `BusyError` if
        no child becomes free in time, or the machine is too busy.
        """
        if not self._slots.acquire(timeout=WAIT_SECONDS):
            raise BusyError
        try:
            answer, made = self._run(job, content, about)
        finally:
            self._slots.release()
        error = answer.get("error")
        if error == "page-missing":
            raise PageMissingError(int(about["number"]))
        if error is not None:
            raise UnreadablePdfError(str(error)[:200])
        return answer, made

    def close(self) -> None:
        """End the children."""
        with self._lock:
            idle, self._idle = self._idle, []
        for child in idle:
            child.end()

    def _run(self, job: str, content: bytes, about: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        child = self._free_child()
        try:
            answer, made = child.ask({**about, "job": job}, content)
        except _InnocentError as error:
            child.end()
            logger.warning("a PDF could not be read now", job=job, bytes=len(content), reason=str(error))
            raise BusyError from None
        except _ChildGoneError as error:
            child.end()
            logger.warning("a PDF broke the limits of its reader", job=job, bytes=len(content), reason=str(error))
            raise UnreadablePdfError(str(error)) from None
        except BaseException:
            child.end()
            raise
        if answer.get("last") or child.jobs >= JOBS_OF_CHILD:
            child.end()
        else:
            with self._lock:
                self._idle.append(child)
        return answer, made

    def _free_child(self) -> _Child:
        """An idle child that is alive, or a new one."""
        while True:
            with self._lock:
                child = self._idle.pop() if self._idle else None
            if child is None:
                return _Child()
            if child.is_alive():
                return child
            child.end()


_shared: PdfWorkers | None = None
_lock: Final = threading.Lock()


def shared() -> PdfWorkers:
    """The children of this process. They start at the first use, and end with the process."""
    global _shared  # noqa: PLW0603
    with _lock:
        if _shared is None:
            _shared = PdfWorkers()
            atexit.register(_shared.close)
        return _shared


def _forget() -> None:
    """Called after a fork: the children belong to the parent."""
    global _shared, _lock
    _shared, _lock = None, threading.Lock()  # type: ignore[misc]


os.register_at_fork(after_in_child=_forget)
