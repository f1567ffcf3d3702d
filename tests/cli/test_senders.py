"""Text message senders, reply-to addresses and contact blocks from a terminal."""

from __future__ import annotations

import pytest

from tests.cli.terminal import a_service, made, refused, run

pytestmark = pytest.mark.usefixtures("terminal")
SERVICE = ("--service", "Passports")


def test_text_message_senders() -> None:
    a_service()
    made("add-sms-sender", *SERVICE, "--sender", "Trees")
    made("update-sms-sender", *SERVICE, "--sender", "Trees", "--new", "Shrubs", "--default")
    assert [(row["sms_sender"], row["is_default"]) for row in made("list-sms-senders", *SERVICE)] == [
        ("Shrubs", True),
        ("development", False),
    ]
    assert made("update-sms-sender", *SERVICE, "--sender", "Shrubs", "--new", "Oaks")["is_default"]
    assert "cannot delete a default" in refused("archive-sms-sender", *SERVICE, "--sender", "Oaks")
    assert made("archive-sms-sender", *SERVICE, "--sender", "development")["archived"]
    assert "there is no text message sender" in refused("archive-sms-sender", *SERVICE, "--sender", "development")
    assert "at most 11" in refused("add-sms-sender", *SERVICE, "--sender", "Twelve chars")
    assert "at least 3" in refused("update-sms-sender", *SERVICE, "--sender", "Oaks", "--new", "ab")


def test_reply_to_addresses() -> None:
    a_service()
    assert made("add-reply-to", *SERVICE, "--email", "a@example.com")["is_default"]
    assert not made("add-reply-to", *SERVICE, "--email", "b@example.com")["is_default"]
    assert "already a reply-to" in refused("add-reply-to", *SERVICE, "--email", "a@example.com")
    made("update-reply-to", *SERVICE, "--email", "b@example.com", "--new", "bb@example.com", "--default")
    assert [row["email_address"] for row in made("list-reply-tos", *SERVICE)] == ["bb@example.com", "a@example.com"]
    assert made("archive-reply-to", *SERVICE, "--email", "a@example.com")["archived"]
    assert "cannot delete a default" in refused("archive-reply-to", *SERVICE, "--email", "bb@example.com")
    assert "Not a valid email" in refused("add-reply-to", *SERVICE, "--email", "nowhere")


def test_contact_blocks() -> None:
    a_service()
    block = made("add-letter-contact", *SERVICE, "--block-file", "-", "--default", stdin="1 High Street\nOakshire\n")
    assert block["contact_block"] == "1 High Street\nOakshire"
    made("update-letter-contact", *SERVICE, "--id", block["id"], "--block", "2 High Street", "--no-default")
    assert made("list-letter-contacts", *SERVICE) == [
        {"id": block["id"], "contact_block": "2 High Street", "is_default": False}
    ]
    assert "2 High Street  no" in run("list-letter-contacts", *SERVICE).output
    assert made("archive-letter-contact", *SERVICE, "--id", block["id"])["archived"]
    assert "there is no contact block" in refused("update-letter-contact", *SERVICE, "--id", block["id"], "--default")
    assert "give --block" in refused("add-letter-contact", *SERVICE)
