"""How fast it is: `make bench`, or `python -m bench [names] [--seconds N]`.

Load generator, PostgreSQL (fsync on), Valkey and the product share the machine.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import load
from bench.stack import Stack, running


def accept(stack: Stack, seconds: float, connections: int = 32) -> None:
    """POST /v2/notifications/sms."""
    stack.start_web()
    result, _ = load.run(stack.port, stack.sms_request, connections=connections, seconds=seconds)
    print(f"accept, {connections} connections: {result}")
    print(f"  memory, MiB: {_sizes(stack)}")
    stack.stop("web")


def accept_one(stack: Stack, seconds: float) -> None:
    """The same over one connection."""
    accept(stack, seconds, 1)


def read(stack: Stack, seconds: float) -> None:
    """GET /v2/notifications/<id>, 16 connections."""
    stack.start_web()
    _, bodies = load.run(stack.port, stack.sms_request, connections=8, seconds=1, warm_up=0)
    ids = [json.loads(body)["id"] for body in bodies]
    position = iter(range(10**9))
    result, _ = load.run(
        stack.port, lambda: stack.get_request(ids[next(position) % len(ids)]), connections=16, seconds=seconds
    )
    print(f"read, 16 connections: {result}")
    stack.stop("web")


def deliver(stack: Stack, seconds: float, delay_ms: int = 0, workers: int = 2) -> None:
    """Deliver through a provider that answers at once; all is queued before the clock starts."""
    stack.execute("TRUNCATE notifications")
    stack.start_web()
    load.run(stack.port, stack.sms_request, connections=32, seconds=seconds, warm_up=0)
    time.sleep(1)
    stack.stop("web")
    waiting = stack.execute("SELECT count(*) FROM notifications WHERE notification_status = 'created'")[0][0]
    stack.start_provider("--delay-ms", str(delay_ms))
    for number in range(workers):
        stack.start(f"worker-{number}", "worker", "--name", f"bench-{number}")
    _wait_for_messages(stack, 1)
    began, first = time.perf_counter(), stack.provider_stats()["messages"]
    _wait_for_messages(stack, waiting)
    rate = (waiting - first) / (time.perf_counter() - began)
    while stack.execute("SELECT count(*) FROM notifications WHERE notification_status = 'created'")[0][0]:
        time.sleep(0.1)
    print(
        f"deliver {waiting} messages, provider takes {delay_ms} ms, {workers} worker processes: {rate:8.0f}/s  "
        f"{stack.provider_stats()}"
    )
    print(f"  memory, MiB: {_sizes(stack)}")
    for name in ["provider", *(f"worker-{number}" for number in range(workers))]:
        stack.stop(name)


def deliver_slow(stack: Stack, seconds: float) -> None:
    """The same with a provider that takes 100 ms, and one worker process."""
    deliver(stack, seconds / 2, delay_ms=100, workers=1)


def together(stack: Stack, seconds: float) -> None:
    """Accept, deliver and receive receipts at the same time."""
    stack.execute("TRUNCATE notifications")
    stack.start_web()
    stack.start_provider("--receipts", f"http://127.0.0.1:{stack.port}/notifications/sms/mmg")
    stack.start("worker-0", "worker", "--name", "bench-0")
    time.sleep(4)
    began = time.perf_counter()
    result, _ = load.run(stack.port, stack.sms_request, connections=16, seconds=seconds, warm_up=0)
    query = "SELECT count(*) FROM notifications WHERE notification_status = 'delivered'"
    while stack.execute(query)[0][0] < result.statuses[201]:
        time.sleep(0.1)
    total = time.perf_counter() - began
    print(f"accept, deliver, receipt: {result.statuses[201] / total:8.0f}/s until the last receipt; accepted {result}")
    print(f"  memory, MiB: {_sizes(stack)}")
    for name in ("web", "provider", "worker-0"):
        stack.stop(name)


def _wait_for_messages(stack: Stack, number: int) -> None:
    while stack.provider_stats()["messages"] < number:
        time.sleep(0.02)


def _sizes(stack: Stack) -> str:
    return ", ".join(f"{name} {size:.0f}" for name, size in stack.memory().items())


BENCHES: dict[str, Callable[[Stack, float], None]] = {
    "accept": accept,
    "accept-one": accept_one,
    "read": read,
    "deliver": deliver,
    "deliver-slow": deliver_slow,
    "together": together,
}


def main() -> None:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(BENCHES))
    parser.add_argument("--seconds", type=float, default=60, help="length of a run (default 60)")
    options = parser.parse_args()
    for name in options.names or BENCHES:
        with tempfile.TemporaryDirectory(prefix="notify-bench-") as folder, running(Path(folder)) as stack:
            BENCHES[name](stack, options.seconds)


if __name__ == "__main__":
    main()
