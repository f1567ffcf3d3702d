"""Processes that hang are killed, and replaced."""

import os
import signal
import sys
import time
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

ROOT = Path(__file__).parents[2]
HUNG_SECONDS = 3

PROGRAM = f"""
import os, sys, time
from notify.infra.watched import run_watched

def work(beat):
    replaces_hung = beat(lambda: not os.path.exists(sys.argv[1]))
    print('child', os.getpid(), replaces_hung, flush=True)
    code = sys.stdin.readline()
    return int(code)

sys.exit(run_watched("worker", work, hung_seconds={HUNG_SECONDS}))
"""


@pytest.fixture
def stuck(tmp_path: Path) -> Path:
    """While this file exists, the work is stuck."""
    return tmp_path / "stuck"


def start(stuck: Path) -> Popen[str]:
    return Popen([sys.executable, "-c", PROGRAM, str(stuck)], cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True)


def read(process: Popen[str]) -> tuple[int, str]:
    assert process.stdout is not None
    for line in process.stdout:  # others are the log's
        if line.startswith("child "):
            _, pid, replaces_hung = line.split()
            return int(pid), replaces_hung
    raise AssertionError("it ended")


def end(process: Popen[str], code: int) -> int:
    process.communicate(f"{code}\n", timeout=30)
    return process.returncode


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_of_the_work_is_that_of_the_process(stuck: Path, code: int) -> None:
    process = start(stuck)
    read(process)
    assert end(process, code) == code


def test_a_child_that_is_stopped_is_replaced(stuck: Path) -> None:
    process = start(stuck)
    pid, replaces_hung = read(process)
    assert replaces_hung == "False"
    os.kill(pid, signal.SIGSTOP)
    again, replaces_hung = read(process)
    assert (again != pid, replaces_hung) == (True, "True")
    assert end(process, 0) == 0


def test_a_child_whose_work_is_stuck_is_replaced(stuck: Path) -> None:
    process = start(stuck)
    pid, _ = read(process)
    stuck.touch()
    again, _ = read(process)
    stuck.unlink()
    assert again != pid
    assert end(process, 0) == 0


def test_a_child_that_dies_is_not_replaced(stuck: Path) -> None:
    """That is for those who started the parent: they see its exit code."""
    process = start(stuck)
    pid, _ = read(process)
    os.kill(pid, signal.SIGKILL)
    assert process.wait(30) == 128 + signal.SIGKILL
    process.communicate()


def test_the_child_ends_with_its_parent(stuck: Path) -> None:
    process = start(stuck)
    pid, _ = read(process)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 20
    while os.path.exists(f"/proc/{pid}") and "Z" not in Path(f"/proc/{pid}/stat").read_text().split():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_signals_reach_the_child(stuck: Path) -> None:
    process = start(stuck)
    read(process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 128 + signal.SIGTERM
    process.communicate()
