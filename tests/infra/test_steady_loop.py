"""A process that was frozen reads the responses that arrived before its time-outs expire."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time

from notify.infra.steady_loop import GAP_SECONDS, SteadyLoop, skipped_seconds

CLIENT = textwrap.dedent(
    """
    import asyncio, sys
    from notify.infra.outbound import Outbound
    outbound = Outbound()
    print("calling", flush=True)
    print(outbound.run(outbound.request("GET", sys.argv[1], timeout=3)).result().status, flush=True)
    """
)


def test_an_answer_that_came_while_the_process_was_stopped_counts() -> None:
    async def answer() -> str:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            os.kill(client.pid, signal.SIGSTOP)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            await writer.drain()
            await asyncio.sleep(5)  # longer than the call may take
            os.kill(client.pid, signal.SIGCONT)

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        client = subprocess.Popen(
            [sys.executable, "-c", CLIENT, f"http://127.0.0.1:{port}/"], stdout=subprocess.PIPE, text=True
        )
        said, _ = await asyncio.to_thread(client.communicate)
        server.close()
        return str(said)

    assert asyncio.run(answer()).split() == ["calling", "200"]


def test_the_clock_leaves_out_what_the_loop_could_not_use() -> None:
    loop = SteadyLoop()

    async def block() -> tuple[float, float]:
        began = loop.time()
        time.sleep(GAP_SECONDS * 2)
        await asyncio.sleep(0.01)
        return loop.time() - began, skipped_seconds()

    passed, skipped = loop.run_until_complete(block())
    loop.close()
    assert passed < GAP_SECONDS
    assert skipped >= GAP_SECONDS * 2
