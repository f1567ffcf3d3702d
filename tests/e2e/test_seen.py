"""Logs, metrics and traces of the running product, which contain no personal data."""

from __future__ import annotations

import base64
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

import jwt
import psycopg
import pytest

from tests.e2e.conftest import Product, running_product
from tests.servers.collector import Collector, ReceivedSpan
from tests.servers.http import Trouble
from tests.servers.mmg import MMGServer

NUMBER = "7900 900461"
PLAIN = NUMBER.replace(" ", "")
ADDRESS = "xanthippe.quux@example.com"
VALUES = {"name": "Xanthippe", "date": "Quintidi the 5th", "parking": "yes"}
PERSONAL = [
    f"0{NUMBER}",
    PLAIN,
    PLAIN[1:],
    ADDRESS,
    ADDRESS.partition("@")[0],
    *VALUES.values(),
    "Xylophone Street",
    "ticket of Zebedee",
    "Zebedee reference",
]
PERSONAL.remove("yes")  # a word of ours as well
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@dataclass
class Seen:
    """The product under way, what it calls, and what it must not tell."""

    product: Product
    mmg: MMGServer
    collector: Collector
    secrets: list[str] = field(default_factory=list)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Message, str]:
        """Status, headers and text of an answer, for the demo service unless an `Authorization` is given."""
        key = self.product.demo["api_keys"]["normal"]
        token = jwt.encode({"iss": key[-73:-37], "iat": int(time.time())}, key[-36:], algorithm="HS256")
        self.secrets += [token, key[-36:]]
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(
            self.product.demo["api_url"] + path,
            data=data,
            method=method,
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
            | {name.replace("_", "-"): value for name, value in headers.items()},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def send(self, kind: str, **changes: Any) -> tuple[int, Message, str]:
        headers = changes.pop("headers", {})
        to = {"sms": {"phone_number": f"+44 {NUMBER}"}, "email": {"email_address": ADDRESS}}[kind]
        body = {
            "template_id": self.product.demo["templates"][kind],
            "personalisation": VALUES,
            "reference": "Zebedee reference",
        }
        return self.call("POST", f"/v2/notifications/{kind}", to | body | changes, **headers)

    def sent(self, kind: str, **changes: Any) -> str:
        status, _, text = self.send(kind, **changes)
        assert status == 201, text
        return str(json.loads(text)["id"])

    def until_texts_go(self) -> None:
        """Return when the provider is trusted again: what fails here fails soon, so later tests meet an open breaker."""

        def goes() -> bool:
            shown = self.product.wait_for(self.sent("sms"), "sending", "technical-failure", seconds=60)
            return bool(shown["status"] == "sending")

        self.until(goes, seconds=60)

    def logs(self) -> dict[str, list[dict[str, Any]]]:
        """The lines of JSON in the log of each process."""
        return {
            name: [json.loads(line) for line in self.log(name).splitlines() if line.startswith("{")]
            for name in ("web", "worker", "beat")
        }

    def log(self, name: str) -> str:
        return (self.product.folder / "logs" / f"{name}.log").read_text()

    def until(self, what: Callable[[], Any], seconds: float = 30) -> Any:
        deadline = time.monotonic() + seconds
        while not (found := what()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return found

    def spans(self, trace_id: str, *names: str) -> dict[str, ReceivedSpan]:
        """The spans of a trace by name, once these are there."""

        def found() -> dict[str, ReceivedSpan] | None:
            spans = {span.name: span for span in self.collector.spans if span.trace_id == trace_id}
            return spans if set(names) <= spans.keys() else None

        spans: dict[str, ReceivedSpan] = self.until(found)
        return spans

    @contextmanager
    def database(self) -> Iterator[psycopg.Connection[Any]]:
        uri = json.loads((self.product.folder / "run" / "environment.json").read_text())["SQLALCHEMY_DATABASE_URI"]
        with psycopg.connect(uri, autocommit=True) as connection:
            yield connection

    def metrics(self) -> str:
        return self.call("GET", "/metrics")[2]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    with (
        MMGServer() as mmg,
        Collector() as collector,
        running_product(
            tmp_path_factory.mktemp("seen"),
            MMG_URL=mmg.address,
            MMG_API_KEY=mmg.key,
            DELIVERY_RETRY_SECONDS="0",
            DELIVERY_MAX_RETRIES="1",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_BSP_SCHEDULE_DELAY="200",
        ) as product,
    ):
        yield Seen(product, mmg, collector)


def everything(seen: Seen) -> None:
    """All that can happen to messages, and all that goes wrong on the way."""
    # accepted, delivered, received
    seen.product.wait_for(seen.sent("email"), "delivered")
    text = seen.sent("sms")
    seen.product.wait_for(text, "sending")
    receipt = {"CID": text, "status": "3", "substatus": "0", "MSISDN": f"44{PLAIN}", "reference": "mmg_reference"}
    assert seen.call("POST", "/notifications/sms/mmg", receipt, Authorization="")[0] == 200
    assert seen.call("POST", "/notifications/sms/mmg", receipt | {"status": PLAIN}, Authorization="")[0] == 200
    assert seen.call("POST", "/notifications/sms/mmg", {"MSISDN": PLAIN}, Authorization="")[0] == 400
    assert seen.call("POST", f"/notifications/sms/{PLAIN}", receipt, Authorization="")[0] == 404
    file = {"file": base64.b64encode(b"ticket of Zebedee").decode(), "filename": "ticket of Zebedee.txt"}
    seen.product.wait_for(seen.sent("email", personalisation=VALUES | {"name": file}), "delivered")
    letter = {"address_line_1": "Xanthippe", "address_line_2": "Xylophone Street", "postcode": "SW1A 1AA"}
    template = seen.product.demo["templates"]["letter"]
    letter_body = {"template_id": template, "personalisation": VALUES | letter}
    assert seen.call("POST", "/v2/notifications/letter", letter_body)[0] == 201
    # read
    for path in (f"/v2/notifications/{text}", "/v2/notifications?reference=Zebedee%20reference"):
        assert seen.call("GET", path)[0] == 200
    # refused
    for kind, changes in (
        ("sms", {"phone_number": f"{PLAIN}{PLAIN}"}),
        ("sms", {"phone_number": ADDRESS}),
        ("email", {"email_address": f"{ADDRESS}@{PLAIN}"}),
        ("sms", {"personalisation": {"name": "Xanthippe"}}),
        ("sms", {"template_id": f"0{PLAIN}"}),
        ("sms", {"reference": ["Zebedee reference"]}),
    ):
        assert seen.send(kind, **changes)[0] == 400
    assert seen.call("POST", "/v2/notifications/sms", b'{"phone_number": "' + PLAIN.encode())[0] == 400
    for path in (f"/v2/notifications/{PLAIN}", f"/{ADDRESS}", f"/v2/{PLAIN}/Xanthippe", f"/v2/template/{ADDRESS}"):
        assert seen.call("GET", path)[0] in (400, 404)
    assert seen.call("GET", "/v2/notifications", Authorization=f"Bearer {PLAIN}.Xanthippe.{ADDRESS}")[0] == 403
    # unsubscribed
    for token in ("Xanthippe", ADDRESS):
        assert seen.call("POST", f"/unsubscribe/{text}/{token}", b"", Authorization="")[0] == 404
    # the provider fails, in several ways
    for trouble in (
        Trouble(status=500, body=f"{PLAIN} Xanthippe".encode()),
        Trouble(drop=True),
        Trouble(half=True),
        Trouble(status=200, body=f"no JSON about {PLAIN}".encode()),
    ):
        seen.mmg.fail(trouble)
        seen.product.wait_for(seen.sent("sms"), "technical-failure", seconds=90)
    seen.mmg.fail(None)
    # a fault that nobody foresaw, in which the database names the row
    with seen.database() as database:
        database.execute("ALTER TABLE notifications ADD CONSTRAINT fault CHECK (normalised_to IS NULL) NOT VALID")
        assert seen.send("sms", headers={"X_B3_TraceId": "f" * 32})[0] == 500
        database.execute("ALTER TABLE notifications DROP CONSTRAINT fault")


def test_nothing_personal_and_no_secret_is_logged(seen: Seen) -> None:
    everything(seen)
    written = {path.name: path.read_text() for path in (seen.product.folder / "logs").iterdir()}
    assert {"web.log", "worker.log", "sandbox.log", "beat.log", "postgres.log"} <= written.keys()
    written["traces"] = seen.collector.raw.decode("latin-1")
    written["metrics"] = seen.metrics()
    for name, text in written.items():
        bare = re.sub(r"[\s()+.-]", "", text)
        for value in [*PERSONAL, *seen.secrets]:
            assert value not in text, f"{value!r} is in {name}"
        assert PLAIN not in bare, name


def test_lines_bear_the_ids_of_request_and_task(seen: Seen) -> None:
    seen.until_texts_go()
    id_ = seen.sent("sms", headers={"X_B3_TraceId": TRACE})
    seen.product.wait_for(id_, "sending")
    # beat comes last, and a task's line when its message has long been sent
    seen.until(lambda: all(seen.logs().values()) and "deliver_sms" in seen.log("worker"))
    logs = seen.logs()
    (line,) = [line for line in logs["web"] if line["requestId"] == TRACE]
    assert (line["path"], line["status"], line["application"]) == ("/v2/notifications/sms", 201, "web")
    tasks = [line for line in logs["worker"] if line.get("task_name") == "deliver_sms"]
    assert tasks
    assert all(line["task_id"] and line["requestId"] and line["queue_name"] for line in tasks)
    keys = {"time", "application", "name", "levelname", "message", "requestId", "logType"}
    for name, lines in logs.items():
        assert all(keys <= line.keys() for line in lines), name


def test_an_unforeseen_fault_is_logged_with_its_place_and_counted(seen: Seen) -> None:
    with seen.database() as database:
        database.execute("ALTER TABLE notifications ADD CONSTRAINT fault CHECK (normalised_to IS NULL) NOT VALID")
        assert seen.send("sms", headers={"X_B3_TraceId": "e" * 32})[0] == 500
        database.execute("ALTER TABLE notifications DROP CONSTRAINT fault")
    lines = seen.until(lambda: [line for line in seen.logs()["web"] if line["requestId"] == "e" * 32])
    (failure,) = [line for line in lines if line["message"] == "request failed"]
    assert "store.py" in failure["exception"]
    assert "CheckViolation" in failure["exception"]
    counted = 'http_server_exceptions_total{exception="CheckViolation",method="POST",path="/v2/notifications/sms"}'
    assert counted in seen.metrics()


def test_one_page_shows_the_counts_of_all_processes(seen: Seen) -> None:
    seen.product.wait_for(seen.sent("email"), "delivered")
    seen.until(lambda: 'celery_task_name="deliver_email"' in seen.metrics())
    text = seen.metrics()
    for name in (
        'http_server_requests_total{method="POST",path="/v2/notifications/email",status="201"}',
        'notifications_total{key_type="normal",notification_type="email",status="created"}',
        'notifications_total{key_type="normal",notification_type="email",status="sending"}',
        'notifications_total{key_type="normal",notification_type="email",status="delivered"}',
        'provider_request_duration_seconds_count{error_type="",notification_type="email",provider_name="sandbox"}',
        'celery_task_duration_seconds_count{celery_task_name="deliver_email",celery_task_status="success"',
        'queue_depth{queue="send-sms-tasks"}',
        'provider_priority{notification_type="sms",provider_name="mmg"}',
    ):
        assert name in text


def test_failures_of_providers_are_counted_by_kind(seen: Seen) -> None:
    seen.mmg.fail(Trouble(status=503))
    seen.product.wait_for(seen.sent("sms"), "technical-failure", seconds=90)
    seen.mmg.fail(None)
    assert 'provider_failures_total{kind="http_5xx",notification_type="sms",provider_name="mmg"}' in seen.metrics()


# -- traces


def test_a_request_and_all_that_follows_are_one_trace(seen: Seen) -> None:
    seen.until_texts_go()
    trace = "1" + TRACE[1:]
    _, headers, text = seen.send("sms", headers={"X_B3_TraceId": trace, "X_B3_SpanId": SPAN})
    assert headers["X-B3-TraceId"] == trace
    id_ = json.loads(text)["id"]
    seen.product.wait_for(id_, "sending")
    spans = seen.spans(trace, "POST /v2/notifications/sms", "store messages", "deliver_sms", "send sms", "POST")
    request, store = spans["POST /v2/notifications/sms"], spans["store messages"]
    task, send, call = spans["deliver_sms"], spans["send sms"], spans["POST"]
    assert (request.kind, request.parent_id, request.service) == ("SERVER", SPAN, "notify-web")
    assert request.attributes["http.response.status_code"] == 201
    assert store.parent_id == request.span_id
    assert (task.kind, task.parent_id, task.service) == ("CONSUMER", request.span_id, "notify-worker")
    assert (send.kind, send.parent_id) == ("CLIENT", request.span_id)
    assert send.attributes["provider.name"] == "mmg"
    assert send.attributes["notification.id"] == id_
    assert (call.parent_id, call.attributes["http.response.status_code"]) == (send.span_id, 200)


def test_a_trace_begins_with_the_id_of_the_request(seen: Seen) -> None:
    _, headers, _ = seen.call("GET", "/v2/notifications")
    span = seen.spans(headers["X-B3-TraceId"], "GET /v2/notifications")["GET /v2/notifications"]
    assert span.parent_id == ""
    only_id = "2" + TRACE[1:]
    seen.call("GET", "/v2/templates", X_B3_TraceId=only_id)
    assert seen.spans(only_id, "GET /v2/templates")["GET /v2/templates"].parent_id == ""


def test_a_client_that_speaks_w3c_is_understood(seen: Seen) -> None:
    trace = "3" + TRACE[1:]
    seen.call("GET", "/v2/templates", traceparent=f"00-{trace}-{SPAN}-01")
    assert seen.spans(trace, "GET /v2/templates")["GET /v2/templates"].parent_id == SPAN


@pytest.mark.parametrize("trace", ["not hexadecimal", "0" * 32, "Root=1-67891233-abcdef012345678912345678"])
def test_an_id_that_is_no_trace_id_is_returned_and_traced_under_another(seen: Seen, trace: str) -> None:
    before = len(seen.collector.spans)
    status, headers, _ = seen.call("GET", "/v2/templates", X_B3_TraceId=trace)
    assert (status, headers["X-B3-TraceId"]) == (200, trace)
    spans = seen.until(lambda: [one for one in seen.collector.spans[before:] if one.name == "GET /v2/templates"])
    assert int(spans[0].trace_id, 16)


def test_what_is_not_sampled_is_not_exported(seen: Seen) -> None:
    trace = "5" + TRACE[1:]
    seen.call("GET", "/v2/templates", X_B3_TraceId=trace, X_B3_SpanId=SPAN, X_B3_Sampled="0")
    seen.call("GET", "/v2/templates", X_B3_TraceId="6" + trace[1:])
    seen.spans("6" + trace[1:], "GET /v2/templates")
    assert not [span for span in seen.collector.spans if span.trace_id == trace]


def test_failures_are_marked(seen: Seen) -> None:
    trace = "7" + TRACE[1:]
    seen.mmg.fail(Trouble(status=500), times=4)
    id_ = seen.sent("sms", headers={"X_B3_TraceId": trace})
    seen.product.wait_for(id_, "technical-failure", seconds=90)
    seen.mmg.fail(None)
    send = seen.spans(trace, "send sms")["send sms"]
    assert send.is_error
    assert send.attributes["error.type"] == "http_5xx"
