"""`notify settings`, and the page generated from the same class."""

from __future__ import annotations

from pathlib import Path

import pytest

from notify.cli.settings import page, sections, values
from notify.settings import parts, read

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run `make docs`"


def test_every_setting_is_on_the_page_once_and_explained() -> None:
    names = [name for _, names in sections() for name in names]
    fields = {name: field for part in parts() for name, field in part.model_fields.items()}
    assert sorted(names) == sorted(fields)
    for name in names:
        assert page().count(f"| `{name.upper()}` |") == 1
        assert fields[name].description


def test_values_tell_what_holds_here_but_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PORT": "7011",
        "REDIS_ENABLED": "0",
        "MMG_API_KEY": "sesame-1",
        "REDIS_URL": "redis://:sesame-2@cache:6379/1",
        "SQLALCHEMY_DATABASE_URI": "postgresql://us:sesame-3@db/notify?sslmode=require",
        "SQLALCHEMY_DATABASE_URI_BULK": "postgresql:///notify?host=db&password=sesame-4",
        "SMTP_URL": "smtp://us:sesame-5@mail:25",
        "BROKER_URL": "sqs://key:sesame-6@[broken",
        "MMG_INBOUND_SMS_AUTH": '["sesame-7"]',
        "SECRET_KEY": "sesame-8",
        "FIRETEXT_DELIVERY_STATUS_CALLBACK_BASIC_AUTH_CREDENTIALS": '["us", "sesame-9"]',
    }.items():
        monkeypatch.setenv(name, value)
    lines = list(values(read()))
    assert "PORT=7011" in lines
    assert "REDIS_ENABLED=0" in lines
    assert "REDIS_URL=redis://:(hidden)@cache:6379/1" in lines
    assert "SQLALCHEMY_DATABASE_URI=postgresql://us:(hidden)@db/notify?sslmode=require" in lines
    assert "FIRETEXT_API_KEY=" in lines
    assert "sesame" not in "\n".join(lines)
