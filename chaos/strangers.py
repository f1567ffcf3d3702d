"""Clients without a key that hold connections and send next to nothing.

They are a separate process (`python -m chaos.strangers`), so that they do not slow down the clients that are
measured. It ends when its standard input does.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from notify.infra.web_server import allow_descriptors

ROOT = Path(__file__).parent.parent
TRICKLE_SECONDS = 1.0
PAUSE_SECONDS = 0.2
_SPARE_DESCRIPTORS = 500

SILENT = (b"", b"")
SLOW_BODY = (b"POST /notifications/sms/mmg HTTP/1.1\r\nHost: api\r\nContent-Length: 1000\r\n\r\n", b"x")
HALF_HEADER = (b"POST /v2/notifications/sms HTTP/1.1\r\nHost: api\r\nX-Long: ", b"x")


class Crowd(NamedTuple):
    """How many connections there are of each kind. One that the server closes is made again."""

    silent: int
    """They send nothing at all."""
    slow_bodies: int
    """They send a receipt, a byte a second."""
    half_headers: int
    """They begin a request, and send a header that does not end."""


@asynccontextmanager
async def strangers(port: int, crowd: Crowd, *, address: str = "127.0.0.1") -> AsyncIterator[None]:
    """The crowd connects from `address` to a port, and stays until the block ends."""
    words = [str(word) for word in (port, address, *crowd)]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "chaos.strangers", *words, cwd=ROOT, stdin=asyncio.subprocess.PIPE
    )
    try:
        yield
    finally:
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


async def _run(port: int, address: str, crowd: Crowd) -> None:
    os.nice(10)  # elsewhere they have separate machines
    allow_descriptors(sum(crowd) + _SPARE_DESCRIPTORS)
    kinds = zip((SILENT, SLOW_BODY, HALF_HEADER), crowd, strict=True)
    tasks = [asyncio.create_task(_stay(port, address, *kind)) for kind, number in kinds for _ in range(number)]
    await asyncio.to_thread(sys.stdin.buffer.read)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _stay(port: int, address: str, first: bytes, trickle: bytes) -> None:
    while True:
        with suppress(OSError):
            await _hold(port, address, first, trickle)
        await asyncio.sleep(PAUSE_SECONDS)


async def _hold(port: int, address: str, first: bytes, trickle: bytes) -> None:
    """One connection, until it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    try:
        writer.write(first)
        while True:
            writer.write(trickle)
            with suppress(TimeoutError):
                if not await asyncio.wait_for(reader.read(4096), TRICKLE_SECONDS if trickle else None):
                    return
    finally:
        writer.transport.abort()


if __name__ == "__main__":
    asyncio.run(_run(int(sys.argv[1]), sys.argv[2], Crowd(*map(int, sys.argv[3:]))))
