"""`notify web` with several processes: shared metrics, hostile clients, failures."""

from __future__ import annotations

import http.client
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import jwt
import psutil
import pytest

from bench.stack import Tokens
from notify.cli.demo import ensure_demo
from notify.cli.processes import resolve
from notify.infra.parts import Parts
from notify.infra.valkey import free_port
from tests.workers.processes import ROOT, START_SECONDS, environment_of

ROUTE = 'http_server_requests_total{method="GET",path="/v2/templates",status="401"}'


class Web:
    """The API in separate processes."""

    def __init__(self, parts: Parts, folder: Path, **changes: str) -> None:
        self.port = free_port()
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        self.log = folder / "web.log"
        usual = {"PORT": str(self.port), "WEB_PROCESSES": "2", "TMPDIR": str(self.temporary)}
        environment = environment_of(parts.settings, **(usual | changes))
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "notify.cli", "web"],
                env=environment,
                cwd=ROOT,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of an answer; 0 where there is none."""
        try:
            answer, body = self.request("GET", path)
        except (OSError, http.client.HTTPException):
            return 0, ""
        return answer.status, body

    def request(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[http.client.HTTPResponse, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer, answer.read().decode()
        finally:
            connection.close()

    def send(self, key: str, template_id: str, **more: str) -> tuple[http.client.HTTPResponse, str]:
        """Send a text message."""
        body = {
            "phone_number": "07900900123",
            "template_id": template_id,
            "personalisation": {"name": "A", "date": "B"},
        }
        headers = {"Authorization": f"Bearer {Tokens(key).current()}", "Content-Type": "application/json"}
        return self.request("POST", "/v2/notifications/sms", json.dumps({**body, **more}), headers)

    def open(self, data: bytes) -> socket.socket:
        """A connection over which this was sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        connection.sendall(data)
        return connection

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while self.get("/_status/ready")[0] != 200:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def counted(self, name: str = ROUTE) -> float:
        match = re.search(rf"^{re.escape(name)} (\S+)$", self.get("/metrics")[1], re.MULTILINE)
        return float(match[1]) if match else 0.0


Start = Callable[..., Web]


@pytest.fixture
def start(parts: Parts, tmp_path: Path) -> Iterator[Start]:
    """Starts the API with changed settings."""
    with ExitStack() as stack:

        def begin(**changes: str) -> Web:
            running = Web(parts, tmp_path, **changes)
            stack.callback(running.stop)
            running.wait_until_ready()
            return running

        yield begin


@pytest.fixture
def demo(parts: Parts, tmp_path: Path) -> dict[str, Any]:
    """A service with keys and templates."""
    made: dict[str, Any] = ensure_demo(parts, tmp_path / "dev.json")
    return made


def test_processes_count_together_and_no_count_is_lost_with_one_of_them(start: Start) -> None:
    web = start()
    for _ in range(20):
        assert web.get("/v2/templates")[0] == 401
    assert web.counted() == 20
    children = psutil.Process(web.process.pid).children()
    assert len(children) >= 2
    os.kill(children[0].pid, signal.SIGKILL)
    deadline = time.monotonic() + START_SECONDS
    answered = 0
    while answered < 20:
        answered += web.get("/v2/templates")[0] == 401
        assert time.monotonic() < deadline
    assert web.counted() == 20 + answered
    (folder,) = [path for path in web.temporary.iterdir() if path.name.startswith("notify-metrics-")]
    assert list(folder.glob("*.db"))
    web.process.terminate()
    assert web.process.wait(30) == 0
    assert not folder.exists()


def test_a_process_that_hangs_is_replaced(start: Start) -> None:
    web = start(HUNG_SECONDS="5")
    frozen = psutil.Process(web.process.pid).children()[0].pid
    os.kill(frozen, signal.SIGSTOP)
    deadline = time.monotonic() + START_SECONDS
    while psutil.pid_exists(frozen):
        assert time.monotonic() < deadline, web.log.read_text()
        time.sleep(0.1)
    web.wait_until_ready()
    while web.counted('hung_processes_total{process="web"}') != 1:
        assert time.monotonic() < deadline, web.log.read_text()
        time.sleep(0.1)
    assert [web.get("/v2/templates")[0] for _ in range(10)] == [401] * 10


def test_a_host_name_is_looked_up(start: Start) -> None:
    assert start(WEB_HOST="localhost").get("/_status?simple=1") == (200, '{"status":"ok"}')


def test_a_host_name_that_means_nothing_is_refused_in_one_line() -> None:
    with pytest.raises(click.ClickException, match=r"^WEB_HOST: 'no-such-host\.invalid' is no address"):
        resolve("no-such-host.invalid", variable="WEB_HOST")


SLOW_BODY = b"POST /notifications/sms/mmg HTTP/1.1\r\nHost: api\r\nContent-Length: 1000\r\n\r\nx"
HALF_HEADER = b"POST /v2/notifications/sms HTTP/1.1\r\nHost: api\r\nX-Long: "
HTTP_2_REQUEST = b"GET /_status?simple=1 HTTP/1.1\r\nHost: api\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
HTTP_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def test_clients_that_hold_connections_do_not_block_others(start: Start, demo: dict[str, Any]) -> None:
    web = start(WEB_PROCESSES="1", WEB_THREADS="2", WEB_IDLE_SECONDS="2", WEB_REQUEST_SECONDS="2")
    with ExitStack() as stack:
        held = [stack.enter_context(web.open(data)) for data in (SLOW_BODY, HALF_HEADER, b"") for _ in range(20)]
        for _ in range(5):
            answer, text = web.send(demo["api_keys"]["test"], demo["templates"]["sms"])
            assert answer.status == 201, text
        assert web.get("/_status")[0] == 200
        for connection in held:  # each is closed before long
            with suppress(ConnectionError):
                while connection.recv(1000):
                    pass
    deadline = time.monotonic() + START_SECONDS
    while web.counted('http_server_connections_shut_down_total{reason="silent"}') != 20:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_one_address_has_so_many_connections(start: Start) -> None:
    web = start(WEB_PROCESSES="1", WEB_CONNECTIONS_PER_ADDRESS="5", TRUSTED_PROXIES='["10.0.0.0/8"]')
    with ExitStack() as stack:
        held = [stack.enter_context(web.open(b"")) for _ in range(12)]
        closed = [connection for connection in held[5:] if not connection.recv(1)]
        assert len(closed) == 7


def test_there_is_no_http_2(start: Start) -> None:
    web = start()
    with web.open(HTTP_2) as connection:
        assert not connection.recv(1000)
    with web.open(HTTP_2_REQUEST) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")


def test_bodies_of_strangers_are_small(start: Start, demo: dict[str, Any]) -> None:
    web = start()
    large = b"x" * 70_000
    for body in (large, iter([large])):  # with a length, and in chunks
        answer, text = web.request("POST", "/notifications/sms/mmg", body)
        assert (answer.status, json.loads(text)["result"]) == (413, "error")
    # a key that is none opens nothing
    answer, _ = web.request("POST", "/notifications/sms/mmg", large, {"Authorization": "Bearer nonsense"})
    assert answer.status == 413
    answer, text = web.send(demo["api_keys"]["test"], demo["templates"]["sms"], reference="x" * 70_000)
    assert (answer.status, json.loads(text)["errors"][0]["error"]) == (400, "ValidationError")


def test_while_the_database_is_locked_requests_are_refused_and_health_answers(
    start: Start, parts: Parts, demo: dict[str, Any]
) -> None:
    web = start(WEB_PROCESSES="1", WEB_THREADS="4", WEB_LOCK_TIMEOUT_MS="500")
    key, template = demo["api_keys"]["test"], demo["templates"]["sms"]
    with ThreadPoolExecutor(30) as clients, parts.database.connection() as connection:
        connection.execute("LOCK TABLE notifications IN EXCLUSIVE MODE")
        futures = [clients.submit(web.send, key, template) for _ in range(30)]
        for path in ("/_status?simple=1", "/_status", "/_status/ready"):
            assert web.get(path)[0] == 200
        answers = [future.result(60) for future in futures]
        assert {answer.status for answer, _ in answers} == {503}
        assert all(answer.headers["Retry-After"] for answer, _ in answers)
        assert {json.loads(text)["errors"][0]["error"] for _, text in answers} == {"ServiceUnavailable"}
        assert connection.execute("SELECT count(*) FROM notifications").fetchone() == (0,)
    answer, text = web.send(key, template)
    assert answer.status == 201, text


def test_a_cache_that_hangs_costs_time_and_no_request(start: Start, parts: Parts, demo: dict[str, Any]) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as hung, ThreadPoolExecutor(40) as clients:
        web = start(
            WEB_PROCESSES="1",
            REDIS_URL=f"redis://127.0.0.1:{hung.getsockname()[1]}",
            BROKER_URL=parts.settings.effective_broker_url,
        )
        futures = []
        for _ in range(40):  # for longer than a batch may take before those behind it are refused
            futures.append(clients.submit(web.send, demo["api_keys"]["test"], demo["templates"]["sms"]))
            time.sleep(0.08)
        assert [future.result(60)[0].status for future in futures] == [201] * 40


def test_a_key_that_is_none_gives_nobody_more_turns_where_none_is_needed(
    start: Start, parts: Parts, demo: dict[str, Any]
) -> None:
    web = start(WEB_PROCESSES="1", WEB_THREADS="4", WEB_LOCK_TIMEOUT_MS="4000")
    key = {"Authorization": f"ApiKey-v1 {demo['api_keys']['test']}"}
    assert web.request("GET", "/v2/templates", None, key)[0].status == 200
    nonsense = {"Authorization": "Bearer nonsense"}
    with ThreadPoolExecutor(12) as clients, parts.database.connection() as connection:
        connection.execute("LOCK TABLE notifications IN EXCLUSIVE MODE")
        receipt = json.dumps({"CID": str(uuid4()), "status": "3"})
        for _ in range(12):
            clients.submit(web.request, "POST", "/notifications/sms/mmg", receipt, nonsense)
        time.sleep(1)
        began = time.monotonic()
        assert web.request("GET", "/v2/templates", None, key)[0].status == 200
        assert time.monotonic() - began < 2


def test_logging_continues_after_the_disk_was_full(start: Start, tmp_path: Path) -> None:
    web = start()
    os.truncate(web.log, 0)
    limit = resource.RLIMIT_FSIZE
    children = [child.pid for child in psutil.Process(web.process.pid).children()]
    for child in children:
        resource.prlimit(child, limit, (1, resource.RLIM_INFINITY))
    deadline = time.monotonic() + START_SECONDS
    while not web.counted("log_lines_dropped_total"):  # a thread writes the log: it may be late
        assert web.get("/v2/templates")[0] == 401
        assert time.monotonic() < deadline
    for child in children:
        resource.prlimit(child, limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    deadline = time.monotonic() + START_SECONDS
    while '"path":"/v2/templates"' not in web.log.read_text():
        assert web.get("/v2/templates")[0] == 401
        assert time.monotonic() < deadline


def test_the_internal_api_has_a_port_that_serves_nothing_else(start: Start, parts: Parts) -> None:
    internal = free_port()
    web = start(INTERNAL_PORT=str(internal), WEB_PROCESSES="1")
    assert web.get("/v2/templates")[0] == 401
    assert web.get("/organisations")[0] == 404
    web.port = internal
    web.wait_until_ready()
    assert web.get("/v2/templates")[0] == 404
    assert web.get("/organisations")[0] == 401
    (secret, *_) = parts.settings.internal_client_api_keys[parts.settings.admin_client_id]
    token = jwt.encode({"iss": parts.settings.admin_client_id, "iat": int(time.time())}, secret, "HS256")
    answer, text = web.request("GET", "/organisations", headers={"Authorization": f"Bearer {token}"})
    assert answer.status == 200, text
    assert "NHS Notify" in [organisation["name"] for organisation in json.loads(text)]


def test_without_the_internal_api_nothing_listens_on_its_port(start: Start) -> None:
    internal = free_port()
    web = start(INTERNAL_PORT=str(internal), APIS="public", WEB_PROCESSES="1")
    assert web.get("/organisations")[0] == 404
    web.port = internal
    assert web.get("/_status?simple=1") == (0, "")
