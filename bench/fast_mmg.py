"""A provider that costs next to nothing: MMG's sending API on a bare asyncio protocol, so that a benchmark measures us
and not it.

    python -m bench.fast_mmg --port 6100 --delay-ms 100 --receipts http://127.0.0.1:6011/notifications/sms/mmg

`GET /stats` answers with what it has counted: `{"requests", "messages", "duplicates", "receipts", "refused_receipts"}`;
`POST /reset` starts the counts anew. A receipt that our API does not answer with 200 is sent again, until it does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from collections import deque
from urllib.parse import urlsplit

ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 21\r\n\r\n{"Reference":"12345"}'
RETRY_SECONDS = 0.5


class Provider:
    """What the connections share: the settings and the counts."""

    def __init__(self, delay: float, reporter: Reporter | None, receipt_delay: float) -> None:
        self.delay = delay
        self.receipt_delay = receipt_delay
        self.reporter = reporter
        self.reset()

    def reset(self) -> None:
        self.requests = 0
        self.seen: set[bytes] = set()
        if self.reporter:
            self.reporter.sent = self.reporter.refused = 0

    def stats(self) -> bytes:
        return json.dumps(
            {
                "requests": self.requests,
                "messages": len(self.seen),
                "duplicates": self.requests - len(self.seen),
                "receipts": self.reporter.sent if self.reporter else 0,
                "refused_receipts": self.reporter.refused if self.reporter else 0,
            }
        ).encode()

    def take(self, body: bytes) -> None:
        start = body.find(b'"cid"')
        id_ = body[start + 5 : start + 50].split(b'"', 2)[1] if start >= 0 else b""
        self.requests += 1
        self.seen.add(id_)
        if self.reporter:
            asyncio.get_running_loop().call_later(self.delay + self.receipt_delay, self.reporter.report, id_)


class Connection(asyncio.Protocol):
    """One client. Requests on it are answered in their order."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        while (message := split(self._buffer)) is not None:
            head, body, self._buffer = message
            self._handle(head, body)

    def _handle(self, head: bytes, body: bytes) -> None:
        provider = self._provider
        if head.startswith(b"GET /stats"):
            self._answer(respond(provider.stats()))
        elif head.startswith(b"POST /reset"):
            provider.reset()
            self._answer(respond(b"{}"))
        else:
            provider.take(body)
            if provider.delay:
                asyncio.get_running_loop().call_later(provider.delay, self._answer, ANSWER)
            else:
                self._transport.write(ANSWER)

    def _answer(self, answer: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(answer)


def respond(body: bytes) -> bytes:
    """A JSON answer."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    return head + body


def split(buffer: bytes) -> tuple[bytes, bytes, bytes] | None:
    """Head, body and rest, when the buffer begins with a complete request or answer with a Content-Length."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    head = buffer[:end]
    lower = head.lower()
    at = lower.find(b"\r\ncontent-length:")
    length = int(lower[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    start = end + 4
    if len(buffer) - start < length:
        return None
    return head, buffer[start : start + length], buffer[start + length :]


class Reporter:
    """Sends receipts over separate connections, one at a time on each."""

    def __init__(self, url: str, connections: int) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._head = (
            f"POST {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        ).encode()
        self._waiting: deque[bytes] = deque()
        self._idle: list[ReporterConnection] = []
        self._connections = connections
        self.sent = 0
        self.refused = 0

    async def run(self) -> None:
        """Keep the connections open, for ever."""
        await asyncio.gather(*(self._keep_open() for _ in range(self._connections)))

    async def _keep_open(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                _, connection = await loop.create_connection(lambda: ReporterConnection(self), self._host, self._port)
                await connection.lost
            except OSError:
                await asyncio.sleep(RETRY_SECONDS)

    def report(self, id_: bytes) -> None:
        self._waiting.append(id_)
        if self._idle:
            self.free(self._idle.pop())

    def free(self, connection: ReporterConnection) -> None:
        """Give a connection its next receipt."""
        if not self._waiting:
            self._idle.append(connection)
            return
        id_ = self._waiting.popleft()
        body = b'{"CID":"%s","status":"3","substatus":"5","reference":"12345","MSISDN":"447700900001"}' % id_
        connection.send(id_, self._head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    def gone(self, connection: ReporterConnection, id_: bytes | None) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        if id_ is not None:
            self.report(id_)

    def answered(self, id_: bytes, head: bytes) -> None:
        if head[9:12] == b"200":
            self.sent += 1
        else:
            self.refused += 1
            asyncio.get_running_loop().call_later(RETRY_SECONDS, self.report, id_)


class ReporterConnection(asyncio.Protocol):
    """A connection to our API."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._buffer = b""
        self._under_way: bytes | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._reporter.free(self)

    def send(self, id_: bytes, request: bytes) -> None:
        self._under_way = id_
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        message = split(self._buffer)
        if message is None or self._under_way is None:
            return
        head, _, self._buffer = message
        id_, self._under_way = self._under_way, None
        self._reporter.answered(id_, head)
        if b"connection: close" in head.lower():
            self._transport.close()
        else:
            self._reporter.free(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._reporter.gone(self, self._under_way)
        if not self.lost.done():
            self.lost.set_result(None)


async def serve(port: int, delay: float, receipts: str, receipt_delay: float, connections: int) -> None:
    """Serve until SIGINT or SIGTERM; print the counts at the end."""
    loop = asyncio.get_running_loop()
    reporter = Reporter(receipts, connections) if receipts else None
    provider = Provider(delay, reporter, receipt_delay)
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    server = await loop.create_server(lambda: Connection(provider), "127.0.0.1", port, backlog=1024)
    print(f"listening on 127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    reporting = asyncio.create_task(reporter.run()) if reporter else None
    await stop.wait()
    if reporting:
        reporting.cancel()
    server.close()
    print(provider.stats().decode(), flush=True)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m bench.fast_mmg", description=__doc__)
    parser.add_argument("--port", type=int, default=6100, help="port on 127.0.0.1; 0 takes a free one and prints it")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="time that an answer takes")
    parser.add_argument("--receipts", default="", help="address that receipts are sent to")
    parser.add_argument("--receipt-delay-ms", type=float, default=50.0, help="time from an answer to its receipt")
    parser.add_argument("--receipt-connections", type=int, default=16, help="receipts in flight")
    options = parser.parse_args()
    asyncio.run(
        serve(
            options.port,
            options.delay_ms / 1000,
            options.receipts,
            options.receipt_delay_ms / 1000,
            options.receipt_connections,
        )
    )
    sys.exit(0)


if __name__ == "__main__":
    main()
