"""How fast the rows of jobs become messages: `python -m bench.jobs [--rows N ...]`.

A CSV file of N texts is put into the object store and its job begun. First the worker has no provider to deliver to and
only saves; then one that answers at once, so that saving and delivering run side by side.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from bench.job_files import begin_job
from bench.stack import Stack, running

_SAVED = "SELECT count(*) FROM notifications"
_LEFT = "SELECT count(*) FROM notifications WHERE notification_status = 'created'"


def csv_file(rows: int) -> bytes:
    """A list of so many recipients."""
    lines = ["phone number,name,date"]
    lines += [f"0{7900000000 + row},Person {row},Monday 3 June" for row in range(rows)]
    return "\n".join(lines).encode()


def saved(stack: Stack, rows: int) -> float:
    """Seconds from the request that begins the job until its last row is a message, which is not delivered yet."""
    stack.execute("TRUNCATE notifications")
    stack.start("jobs", "worker", "--role", "jobs", "--name", "jobs")
    time.sleep(5)
    began = time.perf_counter()
    begin_job(stack, "sms", csv_file(rows), rows)
    while stack.execute(_SAVED)[0][0] < rows:
        time.sleep(0.05)
    took = time.perf_counter() - began
    stack.stop("jobs")
    return took


def delivered(stack: Stack, rows: int) -> float:
    """Seconds until the last one was handed over and written down, with one worker for all."""
    stack.execute("TRUNCATE notifications")
    stack.start_provider("--delay-ms", "0")
    stack.start("worker", "worker", "--name", "all")
    time.sleep(5)
    began = time.perf_counter()
    begin_job(stack, "sms", csv_file(rows), rows)
    while stack.execute(_SAVED)[0][0] < rows or stack.execute(_LEFT)[0][0]:
        time.sleep(0.05)
    took = time.perf_counter() - began
    for name in ("worker", "provider"):
        stack.stop(name)
    return took


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.jobs", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000], help="rows of each list")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="notify-bench-") as folder, running(Path(folder)) as stack:
        stack.start_web()
        for rows in options.rows:
            took = saved(stack, rows)
            print(f"{rows} rows saved in {took:6.1f} s: {rows / took:8.0f}/s", flush=True)
            stack.execute("DELETE FROM jobs")
            took = delivered(stack, rows)
            print(f"{rows} rows saved and delivered in {took:6.1f} s: {rows / took:8.0f}/s", flush=True)
            stack.execute("DELETE FROM jobs")


if __name__ == "__main__":
    main()
