"""A TCP proxy that misbehaves on demand, to stand in front of a database, a broker or a provider."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Literal

CHUNK = 64 * 1024

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
Mode = Literal["forward", "refuse", "stall"]


class _Link:
    """A client's connection and ours to the target."""

    def __init__(self, client: asyncio.StreamWriter, target: asyncio.StreamWriter) -> None:
        self.client = client
        self.target = target

    def abort(self) -> None:
        """Both ends see a reset."""
        for end in (self.client, self.target):
            end.transport.abort()

    def half_close(self) -> None:
        """The client sees an end, and the target does not: it goes on waiting."""
        with suppress(OSError, RuntimeError):
            self.client.write_eof()


class Proxy:
    """Listens on a port of the loopback address; `connect` opens the way to the target.

    `mode` holds for new connections and for what flows on the open ones: `forward`, `refuse` (new connections are
    reset at once), `stall` (nothing flows, nothing is closed). `delay` is added to every piece that flows. When
    `answers_left` is given, so many more pieces flow from the target, and with the next one its connection is cut (and
    all is as before): the target has done its work, and the client never hears of it.
    """

    def __init__(self, connect: Connect) -> None:
        self.mode: Mode = "forward"
        self.delay = 0.0
        self.answers_left: int | None = None
        self.port = 0
        self._connect = connect
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. `port` is known then."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=512)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything."""
        if self._server:
            self._server.close()
        self.cut()

    @property
    def links(self) -> int:
        """Connections that are open."""
        return len(self._links)

    def cut(self) -> int:
        """Reset every open connection; how many there were."""
        links = list(self._links)
        for link in links:
            link.abort()
        return len(links)

    def half_close(self) -> int:
        """Close every open connection towards the client only; how many there were."""
        links = list(self._links)
        for link in links:
            link.half_close()
        return len(links)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.mode == "refuse":
            writer.transport.abort()
            return
        await self._flowing()
        try:
            target_reader, target_writer = await self._connect()
        except OSError:  # as if there were no proxy: the target is down
            writer.transport.abort()
            return
        link = _Link(writer, target_writer)
        self._links.add(link)
        try:
            await asyncio.gather(self._pump(reader, target_writer), self._pump(target_reader, writer, True))
        except (OSError, RuntimeError):
            pass
        finally:
            self._links.discard(link)
            link.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_answer: bool = False) -> None:
        while data := await reader.read(CHUNK):
            if is_answer and self.answers_left is not None:
                self.answers_left = self.answers_left - 1 if self.answers_left else None
                if self.answers_left is None:
                    raise ConnectionResetError
            if self.delay:
                await asyncio.sleep(self.delay)
            await self._flowing()
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()

    async def _flowing(self) -> None:
        while self.mode == "stall":
            await asyncio.sleep(0.05)
