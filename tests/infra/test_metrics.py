"""Shared metrics: real processes with one folder, some of which are killed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest

from notify.infra.metrics import SharedFolder

PROGRAM = """
import sys
from notify.infra import metrics
from notify.messages import metrics as messages
from notify.providers import metrics as providers
messages.messages_became("sms", "normal", "created", int(sys.argv[1]))
providers.provider_called("sms", "mmg", 0.06, "timeout")
metrics.request_began()
print("counted", flush=True)
sys.stdin.read()
"""


@contextmanager
def counting(folder: Path, number: int) -> Iterator[subprocess.Popen[str]]:
    """A process that has counted so many messages, one failed call and a request that goes on."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(number)],
        env={"PATH": os.environ["PATH"], "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "counted\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def show(folder: Path) -> str:
    registry = CollectorRegistry()
    registry.register(SharedFolder(folder))
    return generate_latest(registry).decode()


def value(text: str, sample: str) -> float | None:
    match = re.search(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)
    return float(match[1]) if match else None


CREATED = 'notifications_total{key_type="normal",notification_type="sms",status="created"}'
CALLS = 'provider_request_duration_seconds_{}{{error_type="timeout",{}notification_type="sms",provider_name="mmg"}}'
FAILURES = 'provider_failures_total{kind="timeout",notification_type="sms",provider_name="mmg"}'


def test_sums_of_living_and_ended_processes(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    with counting(folder, 3), counting(folder, 4):
        text = show(folder)
        assert value(text, CREATED) == 7
        assert value(text, FAILURES) == 2
        assert value(text, CALLS.format("count", "")) == 2
        assert value(text, CALLS.format("bucket", 'le="0.05",')) == 0
        assert value(text, CALLS.format("bucket", 'le="0.075",')) == 2
        assert value(text, "concurrent_web_request_count") == 2
    for _ in range(3):  # folding what has been folded changes nothing
        text = show(folder)
        assert value(text, CREATED) == 7
        assert value(text, CALLS.format("count", "")) == 2
        assert value(text, CALLS.format("sum", "")) == 0.12
        assert value(text, CALLS.format("bucket", 'le="+Inf",')) == 2
        assert value(text, "concurrent_web_request_count") is None
    with counting(folder, 5):
        assert value(show(folder), CREATED) == 12
    assert value(show(folder), CREATED) == 12


def test_files_of_ended_processes_do_not_accumulate(tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    for number in range(4):
        with counting(folder, number):
            pass
        show(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["counter_ended.db", "histogram_ended.db", "lock"]


def test_a_folder_that_cannot_be_used_does_not_stop_a_process(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with counting(tmp_path / "file" / "metrics", 1):
        pass


def test_the_folder_of_a_single_process_is_deleted_with_it(tmp_path: Path) -> None:
    program = """
import os
from notify.infra import metrics_folder
metrics_folder.share_for_now()
from notify.inbound import metrics as inbound
inbound.text_received("mmg")
print(os.environ["PROMETHEUS_MULTIPROC_DIR"], len(os.listdir(os.environ["PROMETHEUS_MULTIPROC_DIR"])) > 0)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    folder, was_used = done.stdout.split()
    assert was_used == "True"
    assert Path(folder).parent == tmp_path
    assert not Path(folder).exists()
