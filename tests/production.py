"""Settings under which a process starts outside development and test."""

from __future__ import annotations

import json
from typing import Any, Final

PRODUCTION: Final[dict[str, Any]] = {
    "notify_environment": "production",
    "secret_key": ["Vp4-signs-links-and-tokens-0123456789"],
    "dangerous_salt": "a salt of this installation",
    "token_secret_key": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
    "data_encryption_keys": ["Qx7-encrypts-data-at-rest-0123456789"],
    "internal_client_api_keys": {"notify-admin": ["Zk9-proves-the-admin-app-0123456789"]},
    "metrics_token": "Wm3-opens-the-metrics-page-0123456789",
    "api_host_name": "https://api.notify.example",
    "admin_base_url": "https://www.notify.example",
    "notify_email_domain": "notify.example",
    "from_number": "EXAMPLE",
    "sqlalchemy_database_uri": "postgresql://db/notify?sslmode=verify-full",
    "redis_url": "rediss://cache:6379",
}
"""By field name. The addresses lead nowhere."""


def as_environment(settings: dict[str, Any]) -> dict[str, str]:
    """Settings as environment variables."""
    return {
        name.upper(): json.dumps(value) if isinstance(value, list | dict) else str(value)
        for name, value in settings.items()
    }
