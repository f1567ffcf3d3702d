import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_network

import pytest

from notify.infra.connection_guard import ConnectionGuard, ConnectionLimits

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


class Server:
    """A listening port, with clients of several addresses."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port = self._listener.getsockname()[1]
        self._accepted: list[socket.socket] = []

    def connect(self, address: str = "127.0.0.1") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), source_address=(address, 0))
        self._stack.enter_context(client)
        self._accepted.append(self._stack.enter_context(self._listener.accept()[0]))
        client.settimeout(0.2)
        return client

    def send(self, number: int) -> None:
        self._accepted[number].sendall(b"x")


@pytest.fixture
def server() -> Iterator[Server]:
    with ExitStack() as stack:
        yield Server(stack)


def is_open(client: socket.socket) -> bool:
    try:
        return client.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False


def guard(server: Server, *, silent: float = 60, per_address: int = 100, exempt: str = "10.0.0.0/8") -> ConnectionGuard:
    return ConnectionGuard(server.port, ConnectionLimits(silent, per_address, [ip_network(exempt)]))


def test_the_newest_connections_of_an_address_are_shut_down(server: Server) -> None:
    watch = guard(server, per_address=3)
    first = [server.connect("127.0.0.2") for _ in range(3)]
    other = server.connect("127.0.0.3")
    assert watch.look() == 0
    late = [server.connect("127.0.0.2") for _ in range(2)]
    assert watch.look() == 2
    assert [is_open(client) for client in first] == [True] * 3
    assert [is_open(client) for client in late] == [False] * 2
    assert is_open(other)


def test_proxies_in_front_may_have_any_number(server: Server) -> None:
    clients = [server.connect("127.0.0.2") for _ in range(5)]
    assert guard(server, per_address=1, exempt="127.0.0.2/32").look() == 0
    assert all(map(is_open, clients))


def test_a_connection_over_which_nothing_is_sent_is_shut_down(server: Server) -> None:
    clients = [server.connect(), server.connect()]
    watch = guard(server, silent=0.3)
    assert watch.look() == 0
    clients[0].sendall(b"a body that does not end")
    assert [is_open(client) for client in clients] == [True, True]  # this takes 0.4 s
    clients[0].sendall(b"...")
    server.send(1)
    assert watch.look() == 1
    assert [is_open(client) for client in clients] == [False, True]


def test_connections_of_our_own_to_others_are_left_alone(server: Server) -> None:
    client = server.connect()
    elsewhere = ConnectionGuard(1, ConnectionLimits(0, 1, []))
    assert elsewhere.look() == 0
    assert is_open(client)
