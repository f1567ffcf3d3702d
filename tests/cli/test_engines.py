"""Which environments need their own databases."""

from __future__ import annotations

import pytest

from notify.cli.engines import is_local


@pytest.mark.parametrize(
    ("environment", "local"),
    [
        ({}, True),
        ({"SQLALCHEMY_DATABASE_URI": "postgresql://localhost/notify"}, True),
        ({"SQLALCHEMY_DATABASE_URI": "postgresql://notify@/notify?host=/run/postgresql"}, True),
        ({"SQLALCHEMY_DATABASE_URI": "postgresql://notify@/notify?host=db.example.com"}, False),
        ({"SQLALCHEMY_DATABASE_URI": "postgresql://db.example.com/notify"}, False),
        ({"REDIS_URL": "redis://[::1]:6379/0", "WEB_HOST": "127.0.0.1"}, True),
        ({"REDIS_URL": "redis://cache:6379/0"}, False),
        ({"BROKER_URL": "https://sqs.eu-west-1.amazonaws.com"}, False),
        ({"API_HOST_NAME": "https://api.example.com"}, False),
        ({"WEB_HOST": "0.0.0.0"}, False),  # noqa: S104
    ],
)
def test_local(environment: dict[str, str], local: bool) -> None:
    assert is_local(environment) is local
