"""Sending a message from a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import pytest

from notify.cli.demo import ensure_demo
from notify.infra.parts import Parts
from tests.cli.terminal import made, run

pytestmark = pytest.mark.usefixtures("terminal")

SERVICE = "01900000-0000-7000-8000-0000000000aa"
SECRET = "01900000-0000-7000-8000-0000000000bb"
KEY = f"some-key-{SERVICE}-{SECRET}"


def test_token() -> None:
    token = run("token", "--api-key", KEY).output.strip()
    claims = jwt.decode(token, SECRET, algorithms=["HS256"])
    assert claims["iss"] == SERVICE
    assert jwt.get_unverified_header(token) == {"typ": "JWT", "alg": "HS256"}
    assert made("token", "--api-key", KEY)["authorization"].startswith("Bearer ")


class Api:
    """An API that keeps what it is asked, and answers as told."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, str, Any]] = []
        self.answer: tuple[int, bytes] = (201, b'{"id": "m-1", "uri": "http://api/m-1"}')
        kept = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.requests.append((self.path, self.headers["Authorization"], json.loads(body)))
                status, content = kept.answer
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    thread = Thread(target=api.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield api
    api.server.shutdown()
    api.server.server_close()
    thread.join()


def test_send_with_everything_given(api: Api) -> None:
    answer = made(
        "send", "sms", "--to", "07700900123", "--template", "t-1", "-p", "name=Ada", "-p", "sum=1=1",
        "--reference", "r", "--sender", "s-1", "--api-key", KEY, "--api-url", api.url,
    )  # fmt: skip
    assert answer["id"] == "m-1"
    ((path, authorization, body),) = api.requests
    assert path == "/v2/notifications/sms"
    assert jwt.decode(authorization.removeprefix("Bearer "), SECRET, algorithms=["HS256"])["iss"] == SERVICE
    assert body == {
        "phone_number": "07700900123",
        "template_id": "t-1",
        "personalisation": {"name": "Ada", "sum": "1=1"},
        "reference": "r",
        "sms_sender_id": "s-1",
    }


@pytest.mark.parametrize(
    ("kind", "recipient", "field"),
    [("sms", "07700900123", "phone_number"), ("email", "a@example.com", "email_address"), ("letter", None, None)],
)
def test_send_uses_the_demo_where_nothing_is_given(
    *, parts: Parts, tmp_path: Path, api: Api, kind: str, recipient: str | None, field: str | None
) -> None:
    demo = ensure_demo(parts, tmp_path / "dev.json")
    to = ["--to", recipient] if recipient else []
    result = run("send", kind, *to, "-p", "name=Ada", "--api-url", api.url)
    assert result.exit_code == 0, result.output
    assert "m-1" in result.output
    ((path, authorization, body),) = api.requests
    assert path == f"/v2/notifications/{kind}"
    assert body == {"template_id": demo["templates"][kind], "personalisation": {"name": "Ada"}} | (
        {field: recipient} if field else {}
    )
    secret = demo["api_keys"]["normal"][-36:]
    assert jwt.decode(authorization.removeprefix("Bearer "), secret, algorithms=["HS256"])["iss"] == demo["service_id"]


@pytest.mark.parametrize(
    ("status", "content", "line"),
    [
        (400, b'{"status_code": 400, "errors": [{"error": "E", "message": "a"}, {"error": "E", "message": "b"}]}', "400: a; b"),
        (404, b'{"result": "error", "message": "gone"}', "404: gone"),
        (502, b"<html>bad gateway</html>", "502: <html>bad gateway</html>"),
    ],
)  # fmt: skip
def test_send_refused(api: Api, status: int, content: bytes, line: str) -> None:
    api.answer = (status, content)
    result = run("send", "sms", "--to", "1", "--template", "t", "--api-key", KEY, "--api-url", api.url)
    assert (result.exit_code, result.output) == (1, f"Error: refused with {line}\n")


def test_send_without_an_api() -> None:
    result = run("send", "sms", "--to", "1", "--template", "t", "--api-key", KEY, "--api-url", "http://127.0.0.1:1")
    assert result.exit_code == 1
    assert result.output.startswith("Error: no answer from http://127.0.0.1:1/v2/notifications/sms: ")
    assert result.output.count("\n") == 1


def test_send_with_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text("{")
    result = run("send", "sms", "--to", "1")
    assert (result.exit_code, result.output) == (
        1,
        "Error: dev.json is damaged: start `notify up` again to write it again\n",
    )


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["sms", "--to", "1"], "give --api-key"),
        (["sms", "--to", "1", "--api-key", KEY], "give --template"),
        (["sms", "--template", "t", "--api-key", KEY], "give --to"),
        (["sms", "--to", "1", "--template", "t", "--api-key", KEY, "-p", "name"], "needs name=value"),
        (["letter", "--template", "t", "--api-key", KEY, "--sender", "s"], "chosen on its template"),
        (["pigeon", "--to", "1"], "pigeon"),
        (["sms", "--to", "1", "--template", "t", "--api-key", KEY, "--api-url", "file:///etc/passwd"], "not an http address"),
    ],
)  # fmt: skip
def test_send_wrongly_asked(arguments: list[str], hint: str) -> None:
    result = run("send", *arguments)
    assert result.exit_code in (1, 2)
    assert hint in result.output
