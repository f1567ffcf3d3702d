"""Callbacks and received texts from a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from notify.infra.ids import new_id
from notify.infra.parts import Parts
from notify.services.models import InboundNumber
from notify.webhooks.signing import derived_secret
from tests.cli.terminal import made, run
from tests.production import PRODUCTION, as_environment
from tests.services.factory import a_service

pytestmark = pytest.mark.usefixtures("terminal")


@pytest.fixture
def service(parts: Parts) -> str:
    with parts.database.transaction() as session:
        return str(a_service(session).id)


def rows(parts: Parts, query: str) -> list[tuple[Any, ...]]:
    with parts.database.connection() as connection:
        return connection.execute(query.encode()).fetchall()


def test_a_callback_is_made_changed_and_deleted(parts: Parts, service: str) -> None:
    which = ["--service", service, "--type", "delivery_status"]
    first = made("create-callback", *which, "--url", "http://localhost:1/")
    assert first["signing_secret"] == derived_secret(first["bearer_token"])
    again = run("create-callback", *which, "--url", "http://localhost:2/")
    assert again.exit_code == 1
    assert "You can only have one" in again.output
    changed = made("update-callback", *which, "--token", "another token")
    assert changed["url"] == "http://localhost:1/"
    assert changed["signing_secret"] == derived_secret("another token")
    assert rows(parts, "SELECT version FROM service_callback_api") == [(2,)]
    made("delete-callback", *which)
    gone = run("delete-callback", *which)
    assert (gone.exit_code, gone.output) == (1, "Error: Service delivery receipt API not found\n")


def test_why_a_callback_is_not_sent_again(parts: Parts, service: str) -> None:
    assert run("resend-callback", "none").output == "Error: none is not the id of a message\n"
    unknown = new_id()
    refused = run("resend-callback", str(unknown))
    assert (refused.exit_code, refused.output) == (1, f"Error: there is no message or received text {unknown}\n")
    made("create-callback", "--service", service, "--type", "inbound_sms", "--url", "http://localhost:1/")
    with parts.database.transaction() as session:
        session.add(InboundNumber(number="07900900001", provider="sandbox"))
    made("assign-inbound-number", "--service", service)
    id_ = made("receive-text", "--to", "07900900001", "--content", "hello")["id"]
    with parts.database.connection() as connection:
        connection.execute("DELETE FROM pending_callbacks")
    assert made("resend-callback", id_) == {"id": id_, "sent_again": "inbound_sms"}
    assert rows(parts, "SELECT callback_type, subject_id::text, attempts FROM pending_callbacks") == [
        ("inbound_sms", id_, 0)
    ]
    made("delete-callback", "--service", service, "--type", "inbound_sms")
    gone = run("resend-callback", id_)
    assert gone.output == "Error: its service has no callback: notify create-callback --type inbound_sms\n"


def test_outside_development_the_address_must_be_public(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLBACK_GUARD", "1")
    refused = run(
        "create-callback",
        "--service",
        service,
        "--type",
        "inbound_sms",
        "--url",
        "http://localhost",
        "--token",
        "x" * 10,
    )
    assert (refused.exit_code, refused.output) == (1, "Error: url is not a valid https url\n")


def test_a_service_gets_a_number_and_a_text(parts: Parts, service: str, tmp_path: Path) -> None:
    refused = run("receive-text", "--to", "07900900001", "--content", "hello")
    assert refused.exit_code == 1
    assert "no service receives texts on 07900900001" in refused.output
    file = tmp_path / "numbers.txt"
    file.write_text("07900900001\n\n07900900002\n")
    assert made("insert-inbound-numbers", "-f", str(file)) == {"inserted": 2, "known_already": 0}
    assert made("insert-inbound-numbers", "-f", str(file)) == {"inserted": 0, "known_already": 2}
    assert made("assign-inbound-number", "--service", service)["number"] == "07900900001"
    assert run("assign-inbound-number", "--service", service).exit_code == 1
    made("receive-text", "--to", "07900900001", "--content", "hello")
    assert rows(parts, "SELECT notify_number, user_number, provider FROM inbound_sms") == [
        ("07900900001", "447900900123", "sandbox")
    ]


def test_texts_are_pretended_in_development_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in as_environment(PRODUCTION).items():
        monkeypatch.setenv(name, value)
    refused = run("receive-text", "--to", "07900900001", "--content", "hello")
    assert (refused.exit_code, refused.output) == (1, "Error: refused in environment 'production'\n")


def test_numbers_that_are_none(tmp_path: Path) -> None:
    file = tmp_path / "numbers.txt"
    file.write_text("07900900001\n447900900002\n")
    refused = run("insert-inbound-numbers", "-f", str(file))
    assert (refused.exit_code, refused.output) == (1, "Error: 447900900002 is not a number like 07900900123\n")
