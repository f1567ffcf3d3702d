"""The official Python client against the running product."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import urllib.request
from typing import Any

import pytest
from notifications_python_client.errors import HTTPError
from notifications_python_client.utils import prepare_upload

from tests.e2e.conftest import Product

VALUES = {"name": "Amala", "date": "Monday", "parking": "yes"}


def outbox(product: Product, notification_id: str) -> dict[str, Any]:
    """What the sandbox was given to send."""
    address = json.loads((product.folder / "run" / "environment.json").read_text())["SANDBOX_URL"]
    with urllib.request.urlopen(f"{address}/outbox?notification_id={notification_id}") as answer:
        (entry,) = json.load(answer)["messages"]
    result: dict[str, Any] = entry
    return result


def test_a_text_message_is_sent_delivered_and_read_back(product: Product) -> None:
    client = product.client()
    sent = client.send_sms_notification(
        phone_number="07900 900123",
        template_id=product.demo["templates"]["sms"],
        personalisation=VALUES,
        reference="my reference",
        sms_sender_id=product.demo["sms_sender_id"],
    )
    assert sent["content"]["from_number"] == "NotifyDemo"
    shown = product.wait_for(sent["id"], "delivered")
    assert shown["body"] == sent["content"]["body"]
    assert shown["phone_number"] == "07900 900123"
    assert shown["cost_details"]["billable_sms_fragments"] == 1
    assert shown["sent_at"] <= shown["completed_at"]
    listed = client.get_all_notifications(reference="my reference", status="delivered")
    assert [entry["id"] for entry in listed["notifications"]] == [sent["id"]]
    given = outbox(product, sent["id"])
    assert (given["recipient"], given["sender"], given["body"]) == ("447900900123", "NotifyDemo", shown["body"])


def test_an_email_with_a_file_is_sent_and_the_file_can_be_downloaded(product: Product) -> None:
    client = product.client()
    file = prepare_upload(
        io.BytesIO(b"%PDF-1.4 your ticket"), filename="ticket.pdf", confirm_email_before_download=False
    )
    sent = client.send_email_notification(
        email_address="amala@example.com",
        template_id=product.demo["templates"]["email"],
        personalisation={**VALUES, "name": file},
        email_reply_to_id=product.demo["email_reply_to_id"],
        one_click_unsubscribe_url="https://example.com/unsubscribe",
    )
    product.wait_for(sent["id"], "delivered")
    given = outbox(product, sent["id"])
    assert given["subject"] == "Your appointment on Monday"
    assert given["headers"]["List-Unsubscribe"] == "<https://example.com/unsubscribe>"
    link = re.search(r"http://\S+/d/[^\s,]+", given["body"])
    assert link is not None
    landing = urllib.request.urlopen(link[0]).read().decode()
    assert "You have a file to download" in landing
    page, _, query = link[0].partition("?")
    assert urllib.request.urlopen(f"{page}/file?{query}").read() == b"%PDF-1.4 your ticket"


def test_templates_previews_and_received_texts(product: Product) -> None:
    client = product.client()
    templates = client.get_all_templates()["templates"]
    assert {entry["type"] for entry in templates} == {"sms", "email", "letter"}
    for entry in templates:
        assert client.get_template(entry["id"]) == entry
        assert client.get_template_version(entry["id"], entry["version"]) == entry
    shown = client.post_template_preview(product.demo["templates"]["email"], VALUES)
    assert "<h2" in shown["html"]
    received = client.get_received_texts()
    assert received["links"]["current"] == f"{product.demo['api_url']}/v2/received-text-messages"
    unknown = "01900000-0000-7000-8000-000000000000"
    assert client.get_received_texts(older_than=unknown)["received_text_messages"] == []


@pytest.mark.parametrize(
    ("number", "status"),
    [("07700900001", "delivered"), ("07700900002", "permanent-failure"), ("07700900003", "temporary-failure")],
)
@pytest.mark.parametrize("key", ["test", "normal"])
def test_simulated_outcomes(product: Product, key: str, number: str, status: str) -> None:
    sent = product.client(key).send_sms_notification(number, product.demo["templates"]["sms"], VALUES)
    assert product.wait_for(sent["id"], status)["status"] == status


def test_errors_are_reported(product: Product) -> None:
    with pytest.raises(HTTPError) as caught:
        product.client().send_sms_notification("07900", product.demo["templates"]["sms"], VALUES)
    assert caught.value.status_code == 400
    assert caught.value.message == [{"error": "ValidationError", "message": "phone_number Not enough digits"}]


def test_an_operator_sends_from_the_terminal(product: Product) -> None:
    command = [sys.executable, "-m", "notify.cli", "send", "sms", "--to", "07900900123", "-p", "name=A", "-p", "date=B"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        env={"NOTIFY_DATA_DIR": str(product.folder), "PATH": "/bin"},
    )
    match = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", done.stdout)
    assert match is not None, done.stdout
    product.wait_for(match[0], "delivered")


def test_logs_contain_no_personal_data(product: Product) -> None:
    sent = product.client().send_sms_notification(
        "07911123456", product.demo["templates"]["sms"], {"name": "Rumpelstilzchen", "date": "x"}
    )
    product.wait_for(sent["id"], "delivered")
    for log in (product.folder / "logs").glob("*.log"):
        text = log.read_text()
        assert "Rumpelstilzchen" not in text, log
        assert "7911123456" not in text, log
        assert product.demo["api_keys"]["normal"][-36:] not in text, log
