"""Child processes in which PDFs of others are read (docs/decisions/0031-pdfs-in-child-processes.md).

A PDF can be made to crash its reader, to fill the memory or to take for ever. So it is only read in a child, which has
limits, no secrets in its environment, and gets bytes and gives bytes. Children are kept, as a start takes longer than
a letter. One that dies or is too slow is replaced, and so is one that has done many jobs.
"""

from __future__ import annotations

import atexit
import os
import select
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import structlog

import notify
from notify.infra.errors import BusyError
from notify.letters.precompiled import frames
from notify.letters.precompiled.errors import PageMissingError, UnreadablePdfError

logger = structlog.get_logger(__name__)

JOB_SECONDS: Final = 9.0
"""Longest time for one PDF."""
WAIT_SECONDS: Final = 20.0
"""Longest wait for a free child."""
JOBS_OF_CHILD: Final = 250
MOST_CHILDREN: Final = max(1, min(4, os.cpu_count() or 1))
_CHUNK: Final = 1024 * 1024
_COMMAND: Final = (sys.executable, "-P", "-s", "-m", "notify.letters.precompiled.child")


class _ChildGoneError(Exception):
    """The child has ended, takes too long, or says what is no message."""


class _Child:
    """One child process. Used by one thread at a time."""

    def __init__(self) -> None:
        # it needs to find this package, and nothing else of ours
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
        """Send a job and wait for its answer. Raises `_ChildGoneError`, after which the child is of no use."""
        deadline = time.monotonic() + JOB_SECONDS
        self.jobs += 1
        self._write(frames.packed(about, content), deadline)
        try:
            text, size = frames.lengths(self._read(frames.LENGTHS_SIZE, deadline))
            return frames.parsed(self._read(text, deadline)), self._read(size, deadline)
        except frames.BrokenFrameError:
            raise _ChildGoneError("its answer is malformed") from None

    def end(self) -> None:
        """Kill it, if it still runs, and wait for that."""
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
            raise _ChildGoneError("it takes too long")


class PdfWorkers:
    """The children of this process: at most `MOST_CHILDREN` jobs at the same time, others wait. Any thread may ask."""

    def __init__(self, children: int = MOST_CHILDREN) -> None:
        self._slots = threading.BoundedSemaphore(children)
        self._lock = threading.Lock()
        self._idle: list[_Child] = []

    def run(self, job: str, content: bytes, **about: Any) -> tuple[dict[str, Any], bytes]:
        """Let a child do a job: `about` and bytes go in, what it answers comes out.

        Raises `UnreadablePdfError` for what cannot be read, and for what broke a limit; `PageMissingError`; `BusyError`
        where no child becomes free in time.
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
        with self._lock:
            child = self._idle.pop() if self._idle else None
        child = child or _Child()
        try:
            answer, made = child.ask({**about, "job": job}, content)
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


_shared: PdfWorkers | None = None
_lock: Final = threading.Lock()


def shared() -> PdfWorkers:
    """The children of this process. They start when they are first needed, and end with it."""
    global _shared  # noqa: PLW0603
    with _lock:
        if _shared is None:
            _shared = PdfWorkers()
            atexit.register(_shared.close)
        return _shared


def _forget() -> None:
    """After a fork: the children are the parent's."""
    global _shared, _lock
    _shared, _lock = None, threading.Lock()  # type: ignore[misc]


os.register_at_fork(after_in_child=_forget)
