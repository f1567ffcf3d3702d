"""Keeps a set of children alive, and stops them in order.

supervisor.add("web", start_web, level=2)
supervisor.watch(stop)      # returns when `stop` is set
supervisor.stop()           # the highest level first
"""

from __future__ import annotations

import json
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from notify.infra.children import started_at, stop_leftover_group
from notify.infra.server import EmbeddedError, Server

LOOK_SECONDS = 0.2
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
STEADY_SECONDS = 60.0
"""After a child has run this long, its earlier failures no longer lengthen the pause before the next start."""


class Running(Protocol):
    """A started child (`Child`, `Server`)."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def ask_to_stop(self) -> None: ...
    def stop(self) -> int: ...


class EndedError(Exception):
    """A child ended that should have kept running. The message is one line."""

    def __init__(self, name: str, code: int) -> None:
        super().__init__(f"{name} ended ({how(code)})")
        self.name = name


@dataclass
class _Member:
    name: str
    start: Callable[[], Running]
    level: int
    running: Running | None
    started: float = field(default_factory=time.monotonic)
    failures: int = 0
    again_at: float = 0.0


class Supervisor:
    """The children of one program. Not for use from several threads, except `say`."""

    def __init__(self, say: Callable[[str, str], None], *, record: Path | None = None) -> None:
        """`say(name, text)` is called with each event of a child. `record` is a file that lists the running children,
        for `stop_leftovers` at the next start.
        """
        self._say = say
        self._record = record
        self._members: list[_Member] = []

    def add(self, name: str, start: Callable[[], Running], *, level: int, running: Running | None = None) -> Running:
        """Start a child and keep it running from now on. `running` is the result of `start`, if already called. Raises
        what `start` raises.
        """
        member = _Member(name, start, level, running)
        member.running = running or start()
        self._members.append(member)
        self._write_record()
        return member.running

    @property
    def is_busy(self) -> bool:
        """Whether there are children to supervise."""
        return bool(self._members)

    def check(self) -> None:
        """Raise `EndedError` if a child has ended."""
        for member in self._members:
            if member.running and (code := member.running.poll()) is not None:
                raise EndedError(member.name, code)

    def watch(self, stop: threading.Event) -> None:
        """Until `stop` is set, restart children that end, each time after a longer pause."""
        while not stop.wait(LOOK_SECONDS):
            for member in self._members:
                self._look_after(member)

    def _look_after(self, member: _Member) -> None:
        now = time.monotonic()
        if member.running:
            code = member.running.poll()
            if code is not None:
                member.running = None
                if now - member.started > STEADY_SECONDS:
                    member.failures = 0
                self._postpone(member, f"ended ({how(code)})")
        elif now >= member.again_at:
            try:
                member.running = member.start()
            except (OSError, EmbeddedError) as error:
                self._postpone(member, str(error))
                return
            member.started = time.monotonic()
            self._write_record()
            self._say(member.name, f"started again (process {member.running.pid})")

    def _postpone(self, member: _Member, why: str) -> None:
        delay = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2**member.failures)
        member.failures += 1
        member.again_at = time.monotonic() + delay
        self._say(member.name, f"{why}; starting it again in {delay:g} s")

    def stop(self) -> None:
        """Stop everything, the highest level first; children of one level together. Safe to call again."""
        for level in sorted({member.level for member in self._members}, reverse=True):
            together = [member for member in self._members if member.level == level and member.running]
            for member in together:
                if member.running:
                    member.running.ask_to_stop()
            for member in together:
                if member.running:
                    self._say(member.name, f"stopped ({how(member.running.stop())})")
        self._members.clear()
        if self._record:
            with suppress(OSError):
                self._record.unlink(missing_ok=True)

    def _write_record(self) -> None:
        if self._record is None:
            return
        # an embedded server finds its own leftovers, by its data
        running = [member.running for member in self._members if not isinstance(member.running, Server)]
        pids = [child.pid for child in running if child]
        scratch = self._record.with_suffix(".new")
        try:
            scratch.write_text(json.dumps({pid: started_at(pid) for pid in pids}))
            scratch.replace(self._record)
        except OSError as error:
            # the disk may be full: keep running, although a later start will not find the children
            self._say("notify", f"cannot note what runs: {error.strerror}")


def stop_leftovers(record: Path) -> int:
    """Stop the children that a killed supervisor with this record left behind. Returns their number."""
    try:
        noted = json.loads(record.read_text())
    except (OSError, ValueError):
        return 0
    stopped = sum(stop_leftover_group(int(pid), born) for pid, born in noted.items())
    record.unlink(missing_ok=True)
    return stopped


def how(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"exit code {code}"
    with suppress(ValueError):
        return signal.Signals(-code).name
    return f"signal {-code}"
