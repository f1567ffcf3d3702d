"""Child processes are restarted if they die, stopped in order, and never outlive their parent."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from notify.infra import supervisor as module
from notify.infra.children import Child, started_at, stop_leftover
from notify.infra.supervisor import EndedError, Supervisor, stop_leftovers

SLEEP = ["/bin/sh", "-c", "exec sleep 600"]
STUBBORN = ["/bin/sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"]


def wait_until(holds: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


class Lines:
    """What a supervisor said."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, name: str, text: str) -> None:
        self.lines.append((name, text))

    def _restarts(self, name: str) -> list[int]:
        found = [re.fullmatch(r"started again \(process (\d+)\)", text) for one, text in self.lines if one == name]
        return [int(match[1]) for match in found if match]

    def restarted(self, name: str) -> int:
        """How often a child was started again."""
        return len(self._restarts(name))

    def last_pid(self, name: str) -> int:
        """The process that was started again last."""
        return self._restarts(name)[-1]


def test_child_stops_when_asked_and_its_watcher_goes() -> None:
    before = len(psutil.Process().children())
    child = Child(SLEEP)
    assert len(psutil.Process().children()) == before + 2
    assert child.poll() is None
    assert child.stop() == -signal.SIGTERM
    assert child.stop() == -signal.SIGTERM
    assert len(psutil.Process().children()) == before


def test_child_writes_to_its_log_after_what_is_there(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    Child(["/bin/sh", "-c", "echo out; echo err >&2"], log=log).wait(10)
    assert log.read_text() == "before\nout\nerr\n"


def test_child_that_does_not_listen_is_killed_with_its_own_children(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = Child(["/bin/sh", "-c", f"sleep 600 & echo $!; {STUBBORN[2]}"], log=log, grace_seconds=0.3)
    wait_until(lambda: "ready" in log.read_text())
    grandchild = int(log.read_text().split()[0])
    assert child.stop() == -signal.SIGKILL
    wait_until(lambda: is_gone(grandchild))


def test_what_a_child_leaves_when_it_dies_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    child = Child(["/bin/sh", "-c", "sleep 600 & echo $!"], log=log)
    assert child.wait(10) == 0
    wait_until(lambda: is_gone(int(log.read_text())))


@pytest.mark.parametrize("command", [SLEEP, STUBBORN], ids=["obedient", "stubborn"])
def test_child_ends_when_its_parent_is_killed(command: list[str]) -> None:
    code = (
        "import sys, time; from notify.infra.children import Child;"
        f"print(Child({command!r}, log=__import__('pathlib').Path('/dev/null')).pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    assert not is_gone(pid)
    parent.kill()
    parent.wait()
    wait_until(lambda: is_gone(pid))


def test_command_that_does_not_exist_is_an_os_error() -> None:
    with pytest.raises(FileNotFoundError):
        Child(["/nonexistent/program"])


def test_leftover_is_stopped_only_when_it_is_the_one() -> None:
    child = Child(["/bin/sh", "-c", "exec sleep 600", "our-mark"])
    other = Child(["/bin/sh", "-c", "while :; do sleep 1; done", "our-mark"])
    try:
        assert not stop_leftover(other.pid, "other-mark", stop_signal=signal.SIGTERM)
        assert other.poll() is None
        assert stop_leftover(other.pid, "our-mark", stop_signal=signal.SIGTERM)
        assert other.poll() is not None
        assert child.poll() is None
        assert not stop_leftover(other.pid, "our-mark", stop_signal=signal.SIGTERM)
    finally:
        child.stop()
        other.stop()


def test_dead_child_starts_again_after_growing_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(module, "FIRST_DELAY_SECONDS", 0.1)
    said, starts, stop = Lines(), list[float](), threading.Event()

    def start() -> Child:
        starts.append(time.monotonic())
        if len(starts) == 3:
            raise OSError("no more processes")
        if len(starts) == 4:
            stop.set()
            return Child(SLEEP)
        return Child(["/bin/sh", "-c", "exit 7"])

    supervisor = Supervisor(said)
    supervisor.add("clerk", start, level=1)
    supervisor.watch(stop)
    supervisor.stop()
    pauses = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert len(starts) == 4
    assert pauses[0] >= 0.1
    assert pauses[1] >= 0.2
    assert pauses[2] >= 0.4
    assert said.lines[0] == ("clerk", "ended (exit code 7); starting it again in 0.1 s")
    assert ("clerk", "no more processes; starting it again in 0.4 s") in said.lines
    assert said.lines[-1] == ("clerk", "stopped (SIGTERM)")


def test_a_steady_child_is_forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(module, "FIRST_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(module, "STEADY_SECONDS", 0.0)
    said, starts, stop = Lines(), list[float](), threading.Event()

    def start() -> Child:
        starts.append(time.monotonic())
        if len(starts) == 4:
            stop.set()
        return Child(["/bin/sh", "-c", "exit 0"])

    supervisor = Supervisor(said)
    supervisor.add("clerk", start, level=1)
    supervisor.watch(stop)
    supervisor.stop()
    assert {text for _, text in said.lines if "again in" in text} == {
        "ended (exit code 0); starting it again in 0.05 s"
    }


def test_stop_goes_from_the_highest_level_to_the_lowest(tmp_path: Path) -> None:
    log, said = tmp_path / "log", Lines()
    supervisor = Supervisor(said)
    for name, level in {"database": 0, "web": 3, "worker": 2, "clock": 2}.items():
        code = f"trap 'sleep 0.2; echo {name}; exit 0' TERM; echo up; while :; do sleep 0.05; done"
        supervisor.add(name, lambda code=code: Child(["/bin/sh", "-c", code], log=log), level=level)  # type: ignore[misc]
    wait_until(lambda: log.read_text().count("up") == 4)
    supervisor.stop()
    order = [line for line in log.read_text().split() if line != "up"]
    assert order[0] == "web"
    assert set(order[1:3]) == {"worker", "clock"}
    assert order[3] == "database"
    assert [text for _, text in said.lines] == ["stopped (exit code 0)"] * 4


def test_check_names_who_ended() -> None:
    supervisor = Supervisor(Lines())
    supervisor.add("steady", lambda: Child(SLEEP), level=0)
    supervisor.check()
    child = supervisor.add("web", lambda: Child(["/bin/sh", "-c", "kill -9 $$"]), level=1)
    wait_until(lambda: child.poll() is not None)
    with pytest.raises(EndedError, match=r"^web ended \(SIGKILL\)$"):
        supervisor.check()
    supervisor.stop()


def test_leftovers_of_a_killed_supervisor_are_stopped_and_strangers_are_not(tmp_path: Path) -> None:
    record = tmp_path / "children.json"
    supervisor = Supervisor(Lines(), record=record)
    left = supervisor.add("web", lambda: Child(SLEEP), level=1)
    noted = json.loads(record.read_text())
    assert noted == {str(left.pid): started_at(left.pid)}

    noted[str(os.getpid())] = started_at(os.getpid()) - 1000  # the number of an earlier child is ours now
    noted["999999999"] = 1.0
    record.write_text(json.dumps(noted))
    assert stop_leftovers(record) == 1
    assert left.poll() is not None
    assert not record.exists()
    assert stop_leftovers(record) == 0
    supervisor.stop()


def test_stop_leaves_no_record(tmp_path: Path) -> None:
    record = tmp_path / "children.json"
    supervisor = Supervisor(Lines(), record=record)
    supervisor.add("web", lambda: Child(SLEEP), level=1)
    assert record.exists()
    supervisor.stop()
    assert not record.exists()
    assert not supervisor.is_busy


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        pytest.skip(f"no file system can be mounted: {made.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Fill a disk to its last byte; the file to delete."""
    path = folder / "filler"
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    return path


@pytest.mark.skipif(os.geteuid() != 0 or sys.platform != "linux", reason="mounts a small disk")
def test_a_full_disk_ends_neither_supervisor_nor_children(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(module, "FIRST_DELAY_SECONDS", 0.05)
    said, stop, record, log = Lines(), threading.Event(), small_disk / "children.json", small_disk / "log"
    supervisor = Supervisor(said, record=record)
    steady = supervisor.add("steady", lambda: Child(SLEEP, log=log), level=1)
    mortal = supervisor.add("mortal", lambda: Child(SLEEP, log=log), level=1)
    watching = threading.Thread(target=supervisor.watch, args=(stop,))
    watching.start()
    try:
        filler = fill(small_disk)
        os.kill(mortal.pid, signal.SIGKILL)
        wait_until(lambda: said.restarted("mortal") == 1)
        assert ("notify", "cannot note what runs: No space left on device") in said.lines
        assert steady.poll() is None
        filler.unlink()
        os.kill(said.last_pid("mortal"), signal.SIGKILL)
        wait_until(lambda: said.restarted("mortal") == 2)
        # what runs is noted again, once there is space
        assert set(json.loads(record.read_text())) == {str(steady.pid), str(said.last_pid("mortal"))}
    finally:
        stop.set()
        watching.join()
        supervisor.stop()
