"""A load generator on bare asyncio protocols, so that on a machine shared with what it measures it costs little.

Each connection sends its next request when the answer to the last has come (closed loop).
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Result:
    """What a run measured. Latencies are in seconds, sorted."""

    seconds: float
    latencies: list[float]
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """The latency that this share of the answers did not exceed, in milliseconds."""
        return 1000 * self.latencies[min(int(len(self.latencies) * share), len(self.latencies) - 1)]

    def __str__(self) -> str:
        return (
            f"{self.rate:8.0f}/s  p50 {self.percentile(0.5):6.2f} ms  p99 {self.percentile(0.99):6.2f} ms  "
            f"statuses {dict(self.statuses)}"
        )


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self._run = run
        self._buffer = b""
        self._began = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def _next(self) -> None:
        assert self._transport is not None
        if time.perf_counter() >= self._run.ends:
            self._transport.close()
            return
        request = self._run.request()
        self._began = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        start = head.find(b"content-length:") + 15
        length = int(head[start : head.find(b"\r\n", start) if b"\r\n" in head[start:] else None])
        if len(self._buffer) < end + 4 + length:
            return
        body = self._buffer[end + 4 : end + 4 + length]
        status = int(self._buffer[9:12])
        self._buffer = self._buffer[end + 4 + length :]
        self._run.answered(self._began, status, body)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        self._run.closed()


class _Run:
    def __init__(self, request: Callable[[], bytes], connections: int, warm_up: float, seconds: float) -> None:
        now = time.perf_counter()
        self.request = request
        self.counts_from = now + warm_up
        self.ends = now + warm_up + seconds
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.bodies: list[bytes] = []
        self._open = connections
        self.done = asyncio.get_running_loop().create_future()

    def answered(self, began: float, status: int, body: bytes) -> None:
        now = time.perf_counter()
        if began >= self.counts_from:
            self.latencies.append(now - began)
            self.statuses[status] += 1
        if len(self.bodies) < 1000:
            self.bodies.append(body)

    def closed(self) -> None:
        self._open -= 1
        if not self._open and not self.done.done():
            self.done.set_result(None)


async def _run(
    port: int, request: Callable[[], bytes], connections: int, warm_up: float, seconds: float
) -> tuple[Result, list[bytes]]:
    run = _Run(request, connections, warm_up, seconds)
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: _Connection(run), "127.0.0.1", port)
    await run.done
    run.latencies.sort()
    return Result(seconds, run.latencies, run.statuses), run.bodies


def run(
    port: int, request: Callable[[], bytes], *, connections: int, seconds: float, warm_up: float = 5.0
) -> tuple[Result, list[bytes]]:
    """Send what `request()` makes over so many connections; the first seconds are not counted. Gives the result, and
    the bodies of the first thousand answers.
    """
    return asyncio.run(_run(port, request, connections, warm_up, seconds))
