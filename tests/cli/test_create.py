"""The main job from a terminal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import UUID

import jwt
import pytest
from click.testing import CliRunner, Result

from notify.accounts.models import User
from notify.accounts.passwords import is_password
from notify.cli.create import COMMANDS
from notify.cli.demo import ensure_demo
from notify.infra.parts import Parts
from notify.services import queries
from notify.templates.queries import load_template

BY_NAME = {command.name: command for command in COMMANDS}


@pytest.fixture
def environment(parts: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of a terminal that works on the database of the test."""
    uri = parts.database.engine.url.render_as_string(hide_password=False)
    monkeypatch.setenv("SQLALCHEMY_DATABASE_URI", uri)
    monkeypatch.setenv("REDIS_URL", parts.settings.redis_url)
    monkeypatch.setenv("NOTIFY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("NOTIFY_ENVIRONMENT", "test")


pytestmark = pytest.mark.usefixtures("environment")


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(BY_NAME[arguments[0]], list(arguments[1:]), input=stdin)


def made(*arguments: str, stdin: str | None = None) -> Any:
    result = run(*arguments, "--json", stdin=stdin)
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def a_service(*more: str) -> Any:
    made("create-user", "--name", "Ada", "--email", "ada@example.com")
    return made("create-service", "--name", "Passports", "--user", "ada@example.com", *more)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_help(command: Any) -> None:
    result = CliRunner().invoke(command, ["--help"])
    assert result.exit_code == 0
    assert "--json" in result.output
    assert all(parameter.help for parameter in command.params if hasattr(parameter, "help"))


def test_a_user_with_a_made_up_password(parts: Parts) -> None:
    user = made("create-user", "--name", "Ada", "--email", "ada@example.com", "--platform-admin")
    with parts.database.session() as session:
        stored = session.get_one(User, UUID(user["id"]))
    assert (stored.state, stored.auth_type, stored.platform_admin) == ("active", "email_auth", True)
    assert is_password(stored.password, user["password"])


def test_a_user_with_a_password_of_their_own_does_not_see_it_printed(parts: Parts) -> None:
    result = run(
        "create-user", "--name", "A", "--email", "a@example.com", "--mobile", "07700900123", "--password", "hunter2!"
    )
    assert result.exit_code == 0
    assert "hunter2!" not in result.output
    assert "a@example.com" in result.output


def test_a_service_from_nothing_to_a_key_and_templates(parts: Parts) -> None:
    service = a_service("--live", "--sms-limit", "7", "--permission", "sms", "--permission", "email")
    key = made("create-api-key", "--service", "Passports", "--name", "My key", "--type", "team")
    sms = made(
        "create-template", "--service", service["id"], "--type", "sms", "--name", "T", "--content", "Hi ((name))"
    )
    email = made(
        "create-template", "--service", "Passports", "--type", "email", "--name", "E", "--subject", "S", "--content-file", "-",
        stdin="From a pipe: ((name))",
    )  # fmt: skip
    with parts.database.session() as session:
        loaded = queries.load_service(session, UUID(service["id"]), parts.encryptor)
        assert loaded is not None
        assert (loaded.restricted, loaded.sms_message_limit, loaded.email_message_limit) == (False, 7, 250000)
        assert loaded.permissions == {"sms", "email"}
        assert [f"my_key-{loaded.id}-{stored.secret}" for stored in loaded.api_keys] == [key["api_key"]]
        texts = [load_template(session, loaded.id, UUID(template["id"])) for template in (sms, email)]
    assert [text.content for text in texts if text] == ["Hi ((name))", "From a pipe: ((name))"]


def test_revoke_by_name(parts: Parts) -> None:
    service = a_service()
    key = made("create-api-key", "--service", "Passports", "--name", "k")
    assert made("revoke-api-key", "--service", "Passports", "--key", "k")["id"] == key["id"]
    with parts.database.session() as session:
        loaded = queries.load_service(session, UUID(service["id"]), parts.encryptor)
    assert loaded is not None
    assert all(stored.expiry_date is not None for stored in loaded.api_keys)
    assert "no key named k" in run("revoke-api-key", "--service", "Passports", "--key", "k").output


def test_list_services() -> None:
    service = a_service()
    assert made("list-services")[1:] == [{"id": service["id"], "name": "Passports", "mode": "trial"}]
    assert "Passports" in run("list-services").output


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["create-service", "--name", "X", "--user", "nobody@example.com"], "Error: there is no user nobody@example.com"),
        (["create-service", "--name", "PASSPORTS", "--user", "ada@example.com"], "Error: Duplicate service name 'PASSPORTS'"),
        (["create-api-key", "--service", "Nope", "--name", "k"], "Error: there is no service Nope"),
        (["create-user", "--name", "A", "--email", "a@b"], "Error: Not a valid email address"),
        (["create-user", "--name", "A", "--email", "ADA@example.com"], "Error: There is a user with the email address ADA@example.com already"),
        (["create-template", "--service", "Passports", "--type", "email", "--name", "T", "--content", "x"], "Error: Invalid template subject"),
        (["token", "--api-key", "too-short"], "Error: an API key looks like name-serviceid-secret, where the last two are UUIDs"),
        (["revoke-api-key", "--service", "Passports", "--key", "01900000-0000-7000-8000-000000000000"], "Error: No result found"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line_and_changes_nothing(arguments: list[str], line: str) -> None:
    a_service()
    result = run(*arguments)
    assert (result.exit_code, result.output.strip()) == (1, line)
    assert len(made("list-services")) == 2


def test_settings_that_are_missing_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SQLALCHEMY_DATABASE_URI")
    result = run("list-services")
    assert result.exit_code == 1
    assert result.output.startswith("Error: SQLALCHEMY_DATABASE_URI")
    assert result.output.count("\n") == 1


def test_a_database_that_is_down_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQLALCHEMY_DATABASE_URI", "postgresql://nobody@127.0.0.1:1/none")
    result = run("list-services")
    assert result.exit_code == 1
    assert result.output.count("\n") == 1


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
        "Error: dev.json is damaged: start `notify up` again to have it written anew\n",
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
