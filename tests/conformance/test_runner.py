"""The runner reports differences, tested against a server with wrong responses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.conformance import scenarios
from tests.conformance.scenarios import Scenario


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"id": 5, "name": "Trees"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    Thread(target=server.serve_forever, daemon=True).start()
    file = tmp_path / "target.json"
    file.write_text(
        json.dumps(
            {"url": f"http://127.0.0.1:{server.server_port}", "clients": {"admin": {"id": "a", "secret": "b" * 32}}}
        )
    )
    yield file
    server.shutdown()
    server.server_close()


def _scenario(*steps: dict[str, Any]) -> Scenario:
    return Scenario("area", "area / name", {"scenario": "name", "steps": list(steps)})


def test_what_is_as_recorded_passes(target: Path) -> None:
    step = {"do": "look", "as": "none", "get": "/x", "expect": {"status": 200, "body": {"id": 5, "name": "Trees"}}}
    outcome = scenarios.run(_scenario(step), target)
    assert (outcome.passed, outcome.steps) == (True, 1)


def test_what_differs_is_shown_with_request_and_answer(target: Path) -> None:
    step = {"do": "look", "as": "none", "get": "/x", "expect": {"status": 200, "body": {"id": 6, "more": 1}}}
    outcome = scenarios.run(_scenario(step), target)
    (failure,) = outcome.failures
    assert failure.step == "look"
    assert failure.asked.startswith("GET /x")
    assert failure.answered == '200 {"id": 5, "name": "Trees"}'
    assert failure.differences == [
        "body.more: missing, wanted 1",
        'body.name: not wanted, got "Trees"',
        "body.id: wanted 6, got 5",
    ]


def test_a_step_that_needs_a_value_that_is_missing_is_named(target: Path) -> None:
    step = {"do": "look", "as": "none", "get": "/{nothing}", "expect": {"status": 200, "body": None}}
    (failure,) = scenarios.run(_scenario(step), target).failures
    assert "nothing" in failure.text()


def test_scenarios_are_chosen_by_area_or_by_the_beginning_of_a_name() -> None:
    assert {each.area for each in scenarios.chosen(["users", "senders"])} == {"users", "senders"}
    (one,) = scenarios.chosen(["platform / events"])
    assert one.name == "platform / events"
    with pytest.raises(KeyError):
        scenarios.chosen(["no such area"])
