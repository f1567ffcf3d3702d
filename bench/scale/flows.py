"""Accepting, reading and delivering, by the product's own processes on a database."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import Final
from uuid import UUID

from bench import load
from bench.scale.databases import Cluster, used
from bench.stack import Stack
from bench.stack import running as running_stack
from notify.cli.demo import DEMO_SERVICE

_CREATED: Final = f"""
SELECT count(*) FROM notifications WHERE notification_status = 'created' AND service_id = '{DEMO_SERVICE}'
"""  # noqa: S608 -- no input


def measure(cluster: Cluster, url: str, seconds: float) -> dict[str, float]:
    """Figures of a turn. CPU is that of the server for each request or message, in microseconds."""
    with tempfile.TemporaryDirectory(prefix="notify-scale-") as name, running_stack(Path(name), url) as stack:
        stack.start_web()
        figures = _accept(cluster, stack, seconds)
        figures |= _read(cluster, stack, seconds)
        stack.stop("web")
        figures |= _deliver(cluster, stack)
    return figures


def _accept(cluster: Cluster, stack: Stack, seconds: float) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, connections in (("accept", 32), ("accept, one connection", 1)):
        before = cluster.cpu_of_clients()
        result, bodies = load.run(
            stack.port, stack.sms_request, connections=connections, seconds=seconds, warm_up=seconds / 4
        )
        cpu = used(before, cluster.cpu_of_clients())
        assert set(result.statuses) == {201}, bodies[:1]
        # the requests of the warm-up had their share of it
        requests = result.rate * seconds * 1.25
        figures |= {
            f"{name}: a second": result.rate,
            f"{name}: median, ms": result.percentile(0.5),
            f"{name}: CPU of the server, us": 1e6 * cpu / requests,
        }
    return figures


def _read(cluster: Cluster, stack: Stack, seconds: float) -> dict[str, float]:
    _, bodies = load.run(stack.port, stack.sms_request, connections=8, seconds=1, warm_up=0)
    ids = [UUID(json.loads(body)["id"]) for body in bodies]
    position = iter(range(10**9))
    before = cluster.cpu_of_clients()
    result, _ = load.run(
        stack.port,
        lambda: stack.get_request(str(ids[next(position) % len(ids)])),
        connections=16,
        seconds=seconds,
        warm_up=seconds / 4,
    )
    cpu = used(before, cluster.cpu_of_clients())
    return {
        "read: a second": result.rate,
        "read: median, ms": result.percentile(0.5),
        "read: CPU of the server, us": 1e6 * cpu / (result.rate * seconds * 1.25),
    }


def _deliver(cluster: Cluster, stack: Stack) -> dict[str, float]:
    """Deliver what was accepted."""
    waiting = stack.execute(_CREATED)[0][0]
    stack.start_provider()
    for number in range(2):
        stack.start(f"worker-{number}", "worker", "--name", f"scale-{number}")
    while stack.provider_stats()["messages"] < 1:
        time.sleep(0.02)
    before, began, first = cluster.cpu_of_clients(), time.perf_counter(), stack.provider_stats()["messages"]
    while stack.provider_stats()["messages"] < waiting:
        time.sleep(0.05)
    rate = (waiting - first) / (time.perf_counter() - began)
    while stack.execute(_CREATED)[0][0]:
        time.sleep(0.1)
    cpu = used(before, cluster.cpu_of_clients())
    for name in ("provider", "worker-0", "worker-1"):
        stack.stop(name)
    return {
        "deliver: a second": rate,
        "deliver: CPU of the server, us": 1e6 * cpu / (waiting - first),
        "deliver: messages": waiting,
    }
