"""Callbacks of the running product: about messages of the official client, and received texts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from notify.webhooks.outbox import KNOWN_SECONDS
from tests.e2e.conftest import Product
from tests.servers.receiver import Receiver

VALUES = {"name": "Amala", "date": "Monday"}


def make_callback(product: Product, kind: str, url: str) -> Any:
    """What `notify create-callback` prints, once it holds."""
    service = product.demo["service_id"]
    made = notify(product.folder, "create-callback", "--service", service, "--type", kind, "--url", url)
    time.sleep(KNOWN_SECONDS)
    return made


def notify(folder: Path, *arguments: str) -> Any:
    """What a command of an operator prints."""
    done = subprocess.run(
        [sys.executable, "-m", "notify.cli", *arguments, "--json"],
        capture_output=True,
        text=True,
        check=True,
        env={"NOTIFY_DATA_DIR": str(folder), "PATH": os.environ["PATH"]},
    )
    return json.loads(done.stdout)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def test_what_was_sent_is_reported(product: Product, receiver: Receiver) -> None:
    service = ["--service", product.demo["service_id"], "--type", "delivery_status"]
    made = make_callback(product, "delivery_status", f"{receiver.url}/status")
    try:
        sent = [
            product.client(key).send_sms_notification(number, product.demo["templates"]["sms"], VALUES, reference=key)
            for key, number in (("normal", "07900900123"), ("test", "07700900002"))
        ]
        calls = receiver.wait_for(2, "/status", seconds=30)
    finally:
        notify(product.folder, "delete-callback", *service)
    told = {}
    for call in calls:
        assert call.headers["authorization"] == f"Bearer {made['bearer_token']}"
        payload = Webhook(made["signing_secret"]).verify(call.raw, call.headers)
        told[payload["id"]] = payload
    first, second = (told[message["id"]] for message in sent)
    assert (first["status"], first["to"], first["reference"]) == ("delivered", "07900900123", "normal")
    assert (second["status"], second["reference"]) == ("permanent-failure", "test")
    shown = product.client().get_notification_by_id(sent[0]["id"])
    assert (first["created_at"], first["completed_at"]) == (shown["created_at"], shown["completed_at"])


def test_a_text_that_somebody_sends_is_passed_on(product: Product, receiver: Receiver) -> None:
    service = ["--service", product.demo["service_id"], "--type", "inbound_sms"]
    made = make_callback(product, "inbound_sms", f"{receiver.url}/text")
    try:
        notify(product.folder, "receive-text", "--from", "07900900555", "--content", "Yes please \N{WINKING FACE}")
        (call,) = receiver.wait_for(1, "/text", seconds=30)
    finally:
        notify(product.folder, "delete-callback", *service)
    payload = Webhook(made["signing_secret"]).verify(call.raw, call.headers)
    assert (payload["message"], payload["source_number"]) == ("Yes please \N{WINKING FACE}", "447900900555")
    texts = product.client().get_received_texts_iterator()
    assert [text["id"] for text in texts if text["content"] == payload["message"]] == [payload["id"]]
