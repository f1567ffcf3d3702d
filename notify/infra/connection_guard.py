"""Timeouts for the connections of a web process, and a limit of connections per address.

The HTTP server closes connections whose next request does not begin, or whose header does not end, in time. The rest is
done here, from outside: the kernel knows when data was last sent over each connection. If nothing was sent for longer
than a client may be idle and a request may take, the body does not end or the client does not read; the connection is
shut down, and the server notices. Works on Linux; elsewhere nothing is watched.
"""

from __future__ import annotations

import os
import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from notify.infra import process_metrics

logger = structlog.get_logger(__name__)

Network = IPv4Network | IPv6Network

LOOK_SECONDS: Final = 1.0
_DESCRIPTORS: Final = Path("/proc/self/fd")
_INFO_BYTES: Final = 56
_LAST_SENT: Final = struct.Struct("=I")
_LAST_SENT_AT: Final = 44
"""Offset of `tcpi_last_data_sent` (milliseconds) in the kernel's `struct tcp_info`."""
_NETWORK_OF_ONE_CLIENT: Final = 64
"""Prefix length of an IPv6 address that identifies one client: the client can choose the rest freely."""


class ConnectionLimits(NamedTuple):
    """Limits of time and number of connections."""

    silent_seconds: float
    """Seconds without data sent to the client after which a connection is shut down."""
    per_address: int
    """Most connections of one address (IPv6: of one /64) to this process. The newest are shut down."""
    exempt: Sequence[Network]
    """Addresses without a limit: the proxies in front."""


class _Connection(NamedTuple):
    descriptor: int
    address: str
    silent_seconds: float


class ConnectionGuard:
    """Watches the connections that this process accepted on a port."""

    def __init__(self, port: int, limits: ConnectionLimits) -> None:
        self._port = port
        self._limits = limits
        self._seen: dict[tuple[int, str], int] = {}
        self._looks = 0

    def start(self) -> None:
        """Watch from now on, in a thread, until the process ends."""
        if _DESCRIPTORS.is_dir() and hasattr(socket, "TCP_INFO"):
            threading.Thread(target=self._run, name="connection-guard", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(LOOK_SECONDS):
            try:
                self.look()
            except Exception:  # keep the thread running
                logger.exception("connection guard failed")

    def look(self) -> int:
        """Shut down connections beyond the limits. Returns their number."""
        silent = excessive = 0
        self._looks += 1
        by_client: dict[str, list[_Connection]] = defaultdict(list)
        for connection in self._connections():
            if connection.silent_seconds > self._limits.silent_seconds:
                silent += self._shut_down(connection)
            else:
                by_client[_client(connection.address)].append(connection)
        self._forget_closed(by_client)
        for connections in by_client.values():
            if len(connections) > self._limits.per_address and not self._is_exempt(connections[0].address):
                connections.sort(key=self._first_look)
                excess = connections[self._limits.per_address :]
                excessive += sum(map(self._shut_down, excess))
        if silent:
            process_metrics.connections_shut_down("silent", silent)
        if excessive:
            process_metrics.connections_shut_down("too_many", excessive)
            logger.warning("too many connections of one address", closed=excessive)
        return silent + excessive

    def _connections(self) -> Iterator[_Connection]:
        for name in os.listdir(_DESCRIPTORS):
            # closed meanwhile, or not a socket, or not a client's connection
            with suppress(OSError), _borrowed(int(name)) as borrowed:
                if borrowed.family not in (socket.AF_INET, socket.AF_INET6) or borrowed.getsockname()[1] != self._port:
                    continue
                address = borrowed.getpeername()[0]
                info = borrowed.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
                yield _Connection(int(name), address, _LAST_SENT.unpack_from(info, _LAST_SENT_AT)[0] / 1000)

    def _first_look(self, connection: _Connection) -> int:
        """The number of the round that saw this connection first."""
        return self._seen.setdefault((connection.descriptor, connection.address), self._looks)

    def _forget_closed(self, by_client: dict[str, list[_Connection]]) -> None:
        open_now = {(one.descriptor, one.address): self._looks for many in by_client.values() for one in many}
        self._seen = {key: self._seen.get(key, look) for key, look in open_now.items()}

    def _is_exempt(self, address: str) -> bool:
        parsed = ip_address(address.partition("%")[0])
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self._limits.exempt)

    def _shut_down(self, connection: _Connection) -> bool:
        # the descriptor may belong to another connection by now: check again first
        with suppress(OSError), _borrowed(connection.descriptor) as borrowed:
            if borrowed.getsockname()[1] == self._port and borrowed.getpeername()[0] == connection.address:
                borrowed.shutdown(socket.SHUT_RDWR)
                return True
        return False


@contextmanager
def _borrowed(descriptor: int) -> Iterator[socket.socket]:
    """A second handle on a socket, which the owner of the first may close at any time. Raises `OSError`."""
    copy = os.dup(descriptor)
    try:
        borrowed = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise
    with borrowed:
        yield borrowed


@lru_cache(4096)
def _client(address: str) -> str:
    parsed = ip_address(address.partition("%")[0])
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((int(parsed), _NETWORK_OF_ONE_CLIENT), strict=False))
    return address
