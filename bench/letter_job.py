"""How long a list of letters takes: `python -m bench.letter_job [--letters N]`.

A CSV file with N addresses is put into the object store, its job begun, and a worker makes the messages, renders the
letters and files their PDFs. Then the day's run puts them into zip files, which is the most work that it has. Printed
are the time on the clock, the processor time and the most memory of the worker.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import psutil

from bench.job_files import begin_job, container_of
from bench.stack import Stack, running
from notify.infra.times import utc_now
from notify.letters.printing.zips import ZipCollation

MOST_SECONDS: Final = 900
_COUNTS: Final = """
SELECT count(*) FILTER (WHERE billable_units > 0), count(*) FROM notifications WHERE notification_type = 'letter'
"""


def csv_file(letters: int) -> bytes:
    """A list of so many recipients."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["address line 1", "address line 2", "postcode", "name", "date"])
    for number in range(letters):
        writer.writerow([f"Kate Smith {number}", f"{number} High Street", "SW1A 1AA", f"Kate {number}", "Monday"])
    return text.getvalue().encode()


class Usage:
    """What the worker with its children has used: seconds of processors, and the most MiB of it all at one time."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._seconds: dict[int, float] = {}
        self.most = 0.0

    def look(self) -> None:
        """To be called often."""
        size = 0.0
        for process in (self._process, *self._process.children(recursive=True)):
            try:
                times, memory = process.cpu_times(), process.memory_info().rss
            except psutil.Error:
                continue
            self._seconds[process.pid] = times.user + times.system
            size += memory / 2**20
        self.most = max(self.most, size)

    @property
    def seconds(self) -> float:
        """Of all processes that were seen."""
        return sum(self._seconds.values())


def measure(stack: Stack, letters: int) -> dict[str, Any]:
    """Run a job, and collate its letters."""
    stack.start_web()
    stack.start("worker", "worker", "--name", "bench")
    time.sleep(5)
    usage = Usage(stack.process_id("worker"))
    usage.look()
    used, began = usage.seconds, time.perf_counter()
    begin_job(stack, "letter", csv_file(letters), letters)
    while stack.execute(_COUNTS)[0] != (letters, letters):
        usage.look()
        if time.perf_counter() - began > MOST_SECONDS:
            sys.exit(f"after {MOST_SECONDS} s: {stack.execute(_COUNTS)[0]}")
        time.sleep(0.2)
    rendered = time.perf_counter() - began
    usage.look()
    container = container_of(stack)
    began, collating = time.perf_counter(), time.process_time()
    zips = list(container.get(ZipCollation).zip_files(utc_now() + timedelta(minutes=1)))
    figures = {
        "rendered and stored, s": round(rendered, 1),
        "worker, s of processors": round(usage.seconds - used, 1),
        "worker, most MiB": round(usage.most),
        "collated, s": round(time.perf_counter() - began, 2),
        "collated, s of processors": round(time.process_time() - collating, 2),
        "letters in zip files": [len(each.keys) for each in zips],
    }
    container.parts.close()
    return figures


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.letter_job", description=__doc__)
    parser.add_argument("--letters", type=int, default=1000, help="rows of the list (default 1000)")
    letters = parser.parse_args().letters
    with tempfile.TemporaryDirectory(prefix="notify-bench-") as folder, running(Path(folder)) as stack:
        stack.execute("UPDATE services SET letter_message_limit = 999999999")
        for name, value in measure(stack, letters).items():
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
