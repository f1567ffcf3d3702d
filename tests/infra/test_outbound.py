"""Calls to external services, over real sockets."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from notify.infra.outbound import MAX_ANSWER_BYTES, Answer, Outbound, OutboundError
from notify.infra.proxies import Proxies
from tests.servers.certificate import trust, write_certificate
from tests.servers.http import HTTPServer, Trouble
from tests.servers.smtp import SMTPServer


class Echo(HTTPServer):
    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/large":
            return web.Response(body=b"x" * (MAX_ANSWER_BYTES + 1))
        if request.path == "/cookie":
            return web.Response(text=request.headers.get("Cookie", "none"), headers={"Set-Cookie": "a=b"})
        return web.json_response(
            {"method": request.method, "type": request.content_type, "body": (await request.read()).decode()}
        )


@pytest.fixture
def server() -> Iterator[Echo]:
    with Echo() as server:
        yield server


@pytest.fixture
def outbound() -> Iterator[Outbound]:
    outbound = Outbound(connections=8, timeout=5)
    yield outbound
    outbound.close()


def call(outbound: Outbound, url: str, **options: object) -> Answer:
    return outbound.run(outbound.request("POST", url, **options)).result(timeout=15)  # type: ignore[arg-type]


def failure(outbound: Outbound, url: str, **options: object) -> str:
    with pytest.raises(OutboundError) as caught:
        call(outbound, url, **options)
    return caught.value.kind


def test_an_answer_is_complete(outbound: Outbound, server: Echo) -> None:
    answer = call(outbound, server.url, data=b"abc", headers={"Content-Type": "text/x"})
    assert answer.status == 200
    assert answer.content_type == "application/json"
    assert answer.body == b'{"method": "POST", "type": "text/x", "body": "abc"}'


def test_a_mapping_is_sent_as_a_form(outbound: Outbound, server: Echo) -> None:
    answer = call(outbound, server.url, data={"a": "1 2", "b": "&é"})
    assert b"application/x-www-form-urlencoded" in answer.body
    assert b"a=1+2&b=%26%C3%A9" in answer.body


def test_connections_are_kept(outbound: Outbound, server: Echo) -> None:
    for _ in range(20):
        call(outbound, server.url)
    assert (server.received, server.connections) == (20, 1)


def test_calls_at_once_are_bounded_and_all_answered(outbound: Outbound, server: Echo) -> None:
    server.fail(Trouble(delay=0.02))

    async def many() -> list[Answer]:
        return await asyncio.gather(*(outbound.request("POST", server.url) for _ in range(50)))

    assert {answer.status for answer in outbound.run(many()).result(timeout=15)} == {200}
    assert server.most_at_once == 8
    assert server.connections == 8


def test_waiting_for_a_turn_is_not_counted_as_slowness_of_the_host(outbound: Outbound, server: Echo) -> None:
    server.fail(Trouble(delay=0.1))

    async def many() -> list[Answer]:
        return await asyncio.gather(*(outbound.request("POST", server.url, timeout=0.4) for _ in range(60)))

    started = time.monotonic()
    assert len(outbound.run(many()).result(timeout=15)) == 60
    assert time.monotonic() - started > 0.7


def test_a_host_that_hangs_delays_no_other(outbound: Outbound, server: Echo) -> None:
    with HTTPServer() as hanging:
        hanging.fail(Trouble(hang=True))
        stuck = [outbound.run(outbound.request("POST", hanging.url, timeout=3)) for _ in range(20)]
        while hanging.at_once < 8:
            time.sleep(0.01)
        started = time.monotonic()
        assert call(outbound, server.url).status == 200
        assert time.monotonic() - started < 1
        for future in stuck:
            future.cancel()


def test_redirects_are_answers(outbound: Outbound, server: Echo) -> None:
    server.fail(Trouble(status=307), times=1)
    assert call(outbound, server.url).status == 307
    assert server.received == 1


def test_cookies_are_not_kept(outbound: Outbound, server: Echo) -> None:
    assert [call(outbound, f"{server.url}/cookie").body for _ in range(2)] == [b"none", b"none"]


class Proxy(HTTPServer):
    """Answers for every host itself."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str | None]] = []

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.seen.append((str(request.raw_path), request.headers.get("Proxy-Authorization")))
        return web.Response(status=203)


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with Proxy() as proxy:
        yield proxy


def test_a_proxy_of_the_environment_is_used(outbound: Outbound, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://us%40er:pass@127.0.0.1:{proxy.port}")
    assert call(outbound, "http://provider.invalid/send?sig=%2F").status == 203
    assert proxy.seen == [("http://provider.invalid/send?sig=%2F", aiohttp.encode_basic_auth("us@er", "pass"))]
    assert failure(outbound, "https://provider.invalid/") == "connection"


def test_https_goes_through_a_tunnel(outbound: Outbound, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"127.0.0.1:{proxy.port}")
    assert failure(outbound, "https://provider.invalid/secret") == "proxy"
    assert proxy.seen == [("provider.invalid:443", None)]


@pytest.mark.parametrize(
    ("excepted", "host"),
    [
        ("", "127.0.0.1"),
        ("", "localhost"),
        ("other.example, .invalid", "provider.invalid"),
        ("provider.invalid", "provider.invalid"),
        ("*", "provider.invalid"),
        ("198.51.100.0/24", "198.51.100.7"),
    ],
)
def test_some_hosts_are_called_without_the_proxy(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, excepted: str, host: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("NO_PROXY", excepted)
    assert Proxies().find(URL(f"http://{host}:81/")) is None
    assert (Proxies().find(URL("http://203.0.113.7/")) is None) == (excepted == "*")


def test_a_proxy_of_another_kind_is_our_fault(
    outbound: Outbound, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    assert failure(outbound, "http://provider.invalid/") == "invalid_request"


def test_addresses_of_strangers_are_never_called_through_a_proxy(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")
    every: list[dict[str, Any]] = [{"public_only": True}, {"proxied": False}]
    for options in every:
        direct = Outbound(**options)
        try:
            assert failure(direct, "https://provider.invalid/") == "connection"
        finally:
            direct.close()
    assert proxy.received == 0


@pytest.mark.parametrize(
    "path",
    [
        "/cb?sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=a%2Fb%2Bc%3D%3D",
        "/%7Euser/%3A/a%2fb/../c?d=%27%3F&e=f+g%20h",
        "/a//b;c=d?e=[f]&g={h}|i",
    ],
)
def test_an_address_is_sent_as_it_is_written(outbound: Outbound, path: str) -> None:
    class Paths(HTTPServer):
        async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(text=request.raw_path)

    with Paths() as server:
        assert call(outbound, server.url + path).body.decode() == path
        assert call(outbound, f"{server.url}/é b?ü=%2F#part").body == b"/%C3%A9%20b?%C3%BC=%2F"


@pytest.mark.parametrize("value", ["Basic k\n", "a\r\nb: c", "a\0"])
def test_a_header_that_cannot_be_sent_is_our_fault(outbound: Outbound, server: Echo, value: str) -> None:
    assert failure(outbound, server.url, headers={"Authorization": value}) == "invalid_request"
    assert server.connections == 0


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [(Trouble(hang=True), "timeout"), (Trouble(drop=True), "disconnected"), (Trouble(half=True), "disconnected")],
)
def test_kinds_of_failure(outbound: Outbound, server: Echo, trouble: Trouble, kind: str) -> None:
    server.fail(trouble)
    assert failure(outbound, server.url, timeout=0.3) == kind
    server.fail(None)
    assert call(outbound, server.url).status == 200


def test_an_answer_that_trickles_is_cut_off_in_time(outbound: Outbound) -> None:
    class Trickle(HTTPServer):
        async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
            response = web.StreamResponse()
            await response.prepare(request)
            while True:
                await response.write(b".")
                await asyncio.sleep(0.05)

    with Trickle() as server:
        started = time.monotonic()
        assert failure(outbound, server.url, timeout=0.5) == "timeout"
        assert time.monotonic() - started < 2


def test_an_answer_without_end_is_not_read_to_the_end(outbound: Outbound, server: Echo) -> None:
    assert failure(outbound, f"{server.url}/large") == "invalid_answer"


def test_nobody_listens(outbound: Outbound) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening
        assert failure(outbound, f"http://127.0.0.1:{taken.getsockname()[1]}") == "connection"


def test_not_http(outbound: Outbound) -> None:
    with SMTPServer() as server:
        assert failure(outbound, f"http://127.0.0.1:{server.port}") == "invalid_answer"


def test_an_unknown_certificate_is_refused(outbound: Outbound, tmp_path: Path) -> None:
    with SMTPServer(certificate=write_certificate(tmp_path), implicit_tls=True) as server:
        assert failure(outbound, f"https://localhost:{server.port}") == "tls"


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://127.0.0.1/", "http://", "file:///etc/passwd", "http://[::1"])
def test_an_address_that_is_none(outbound: Outbound, url: str) -> None:
    assert failure(outbound, url) == "invalid_address"


def test_a_failure_does_not_tell_the_address(outbound: Outbound) -> None:
    with pytest.raises(OutboundError) as caught:
        call(outbound, "http://user:password@127.0.0.1:9/07700900123")
    assert str(caught.value) == "connection"


def test_a_dead_peer_is_noticed_by_the_system(outbound: Outbound, server: Echo) -> None:
    call(outbound, server.url)

    async def kept_socket() -> socket.socket:
        connector = outbound.session.connector
        assert connector is not None
        ((protocol, _),) = next(iter(connector._conns.values()))
        assert protocol.transport is not None
        found: socket.socket = protocol.transport.get_extra_info("socket")
        return found

    kept = outbound.run(kept_socket()).result(timeout=5)
    assert kept.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
    assert [kept.getsockopt(socket.IPPROTO_TCP, option) for option in options] == [4, 2, 8]


def test_it_works_again_in_a_child_after_a_fork(outbound: Outbound, server: Echo) -> None:
    assert call(outbound, server.url).status == 200
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if call(outbound, server.url).status == 200 else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert call(outbound, server.url).status == 200


def test_closing_cancels_calls_in_progress_and_a_later_use_starts_again(outbound: Outbound, server: Echo) -> None:
    server.fail(Trouble(hang=True), times=1)
    stuck = outbound.run(outbound.request("POST", server.url))
    while not server.at_once:
        time.sleep(0.01)
    outbound.close()
    assert stuck.cancelled()
    assert call(outbound, server.url).status == 200


@pytest.fixture
def guarded() -> Iterator[Outbound]:
    outbound = Outbound(connections=8, timeout=5, public_only=True)
    yield outbound
    outbound.close()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0x7f.1", "169.254.169.254"],
)
def test_strangers_cannot_have_a_private_network_called(guarded: Outbound, server: Echo, host: str) -> None:
    assert failure(guarded, f"https://{host}:{server.port}") == "forbidden_address"
    assert failure(guarded, f"http://{host}:{server.port}") == "invalid_address"
    assert server.connections == 0


@pytest.mark.parametrize("host", ["0", "127.1", "2130706433", "127.0.0.1."])
def test_a_number_is_no_host(guarded: Outbound, server: Echo, host: str) -> None:
    assert failure(guarded, f"https://{host}:{server.port}") == "invalid_address"
    assert server.connections == 0


def test_a_name_is_judged_by_the_address_that_is_connected_to(
    guarded: Outbound, server: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a name's owner has it lead elsewhere after somebody has looked (DNS rebinding)."""
    asked = []

    def lookup(host: object, *more: object, **options: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    assert failure(guarded, f"https://callbacks.example.com:{server.port}") == "forbidden_address"
    assert asked == ["callbacks.example.com"]
    assert server.connections == 0


def test_a_public_address_is_connected_to(guarded: Outbound, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Loopback stands for the public internet here; the rest is as it would be, the certificate's check included."""
    certificate = write_certificate(tmp_path)
    monkeypatch.setattr("notify.infra.outbound.is_public", lambda address: address == "127.0.0.1")
    with Echo(certificate) as server:
        assert failure(guarded, f"https://localhost:{server.port}") == "tls"
        trust(monkeypatch, certificate)
        assert call(guarded, f"https://localhost:{server.port}").status == 200
        assert failure(guarded, f"https://127.0.0.2:{server.port}") == "forbidden_address"


def test_of_a_long_answer_as_much_is_read_as_is_wanted(outbound: Outbound, server: Echo) -> None:
    answer = call(outbound, f"{server.url}/large", enough=100)
    assert answer.status == 200
    assert 100 < len(answer.body) < MAX_ANSWER_BYTES
    assert call(outbound, server.url, enough=100_000).content_type == "application/json"
