"""The routes of the public API."""

from __future__ import annotations

from flask import Flask

from notify.infra.container import Container
from notify.infra.request_log import LOGGED_WORDS
from notify.providers.registry import PROVIDERS
from notify.public import (
    documents,
    letter_receipts,
    letter_response_files,
    metrics_page,
    openapi,
    provider_receipts,
    received_texts,
    ses_receipts,
    status,
    unsubscribe,
    v2,
)

_MODULES = (
    v2,
    provider_receipts,
    ses_receipts,
    letter_receipts,
    letter_response_files,
    received_texts,
    documents,
    unsubscribe,
    openapi,
    status,
    metrics_page,
)


def load() -> None:
    """Import the modules with the routes. They are imported above."""


def register(app: Flask, container: Container) -> None:
    """Add the routes to the application."""
    app.config[LOGGED_WORDS].update(word for provider in PROVIDERS for word in provider)
    for module in _MODULES:
        app.register_blueprint(module.blueprint(container))
