"""A running embedded server, and a function that waits until one is ready."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from notify.infra.children import POLL_SECONDS, Child

_FULL = os.strerror(errno.ENOSPC)
_FATAL = re.compile(r"FATAL|Fatal|^[\w.]*(Error|Exception)\b")


class EmbeddedError(Exception):
    """An embedded server did not start. The message is one line."""


class Server:
    """A running embedded server."""

    def __init__(self, name: str, url: str, child: Child, log: Path, forget: Callable[[], None] | None = None) -> None:
        self.name = name
        self.url = url
        """Its address for the settings: `postgresql://...` or `redis://...`."""
        self.log = log
        self._child = child
        self._forget = forget

    @property
    def pid(self) -> int:
        """Id of the server's main process."""
        return self._child.pid

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._child.poll()

    def ask_to_stop(self) -> None:
        """Ask it to stop, and do not wait."""
        self._child.ask_to_stop()

    def stop(self) -> int:
        """Stop it cleanly and wait until it has ended. Returns the exit code. Safe to call again."""
        code = self._child.stop()
        if self._forget:
            self._forget()
            self._forget = None
        return code


def wait_until(ready: Callable[[], bool], child: Child, name: str, log: Path, *, seconds: float) -> None:
    """Wait until a starting server is ready. If it ends or takes longer than `seconds`, stops it and raises
    `EmbeddedError` with a line of its log.
    """
    start = log.stat().st_size if log.exists() else 0
    deadline = time.monotonic() + seconds
    while not ready():
        if child.poll() is not None:
            raise EmbeddedError(f"{name} did not start: {last_words(log, start)} (see {log})")
        if time.monotonic() > deadline:
            child.stop()
            raise EmbeddedError(f"{name} was not ready after {seconds:.0f} seconds (see {log})")
        time.sleep(POLL_SECONDS)


def last_words(log: Path, since: int = 0) -> str:
    """The line of a log that says most, read from byte `since` on."""
    try:
        with log.open("rb") as file:
            file.seek(since)
            return telling_line(file.read().decode(errors="replace"))
    except OSError:
        return telling_line("")


def telling_line(text: str) -> str:
    """The line of what a program said that says most: that the disk is full, else the last fatal error, else the last
    line.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    full = [line for line in lines if _FULL in line]
    fatal = [line for line in lines if _FATAL.search(line)]
    return (full or fatal or lines or ["it said nothing"])[-1].removeprefix("Error: ")
