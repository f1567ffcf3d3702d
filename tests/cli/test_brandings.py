"""Brandings from a terminal."""

from __future__ import annotations

from uuid import UUID

import pytest

from notify.infra.parts import Parts
from notify.services.queries import load_service
from tests.cli.terminal import a_service, made, refused

pytestmark = pytest.mark.usefixtures("terminal")


def test_an_email_branding_from_its_making_to_its_end(parts: Parts) -> None:
    service = a_service()
    made("create-email-branding", "--name", "Oak", "--text", "Oak Council", "--colour", "#123456", "--type", "both")
    made("set-branding", "--service", "Passports", "--email", "Oak")
    made("update-email-branding", "--branding", "Oak", "--text", "", "--alt-text", "Oak logo", "--logo", "oak.png")
    with parts.database.session() as session:
        loaded = load_service(session, UUID(service["id"]), parts.encryptor)
    assert loaded is not None
    assert loaded.email_branding is not None
    assert (loaded.email_branding.alt_text, loaded.email_branding.text) == ("Oak logo", None)
    assert (loaded.email_branding.logo, loaded.email_branding.colour) == ("oak.png", "#123456")
    assert "is in use" in refused("archive-email-branding", "--branding", "Oak")
    made("set-branding", "--service", "Passports", "--email", "")
    assert made("archive-email-branding", "--branding", "Oak")["archived"]
    assert "there is no email branding Oak" in refused("set-branding", "--service", "Passports", "--email", "Oak")


def test_a_letter_branding() -> None:
    a_service()
    made("create-letter-branding", "--name", "Oak", "--filename", "oak", "--user", "ada@example.com")
    assert made("update-letter-branding", "--branding", "Oak", "--filename", "oak-two")["filename"] == "oak-two"
    assert made("set-branding", "--service", "Passports", "--letter", "Oak")["letter_branding"] == "Oak"
    assert {"kind": "letter", "name": "Oak"}.items() <= made("list-brandings")[-1].items()


def test_refused() -> None:
    assert "exactly one of" in refused("create-email-branding", "--name", "Fir")
    made("create-letter-branding", "--name", "Yew", "--filename", "yew")
    assert "Name already in use" in refused("create-letter-branding", "--name", "Yew", "--filename", "fir")
    assert "at least one thing" in refused("update-letter-branding", "--branding", "Yew")
    assert "give --email or --letter" in refused("set-branding", "--service", "x")
