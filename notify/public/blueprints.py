"""The routes of the public API."""

from __future__ import annotations

from types import ModuleType
from typing import Final

from flask import Blueprint, Flask, request

from notify.infra.container import Container
from notify.infra.request_gate import work_without_key
from notify.infra.request_log import LOGGED_WORDS
from notify.providers.registry import PROVIDERS
from notify.public import (
    broadcasts,
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
    v1,
    v2,
)

_MODULES = (
    v2,
    provider_receipts,
    ses_receipts,
    letter_receipts,
    received_texts,
    documents,
    unsubscribe,
    openapi,
    status,
    metrics_page,
)
_LEGACY_MODULES: Final[tuple[ModuleType, ...]] = (v1, letter_response_files, broadcasts)
"""Routes of 2020, served if `LEGACY_2020` is on."""
_KEYLESS: Final = frozenset(
    (
        provider_receipts,
        ses_receipts,
        letter_receipts,
        letter_response_files,
        received_texts,
        documents,
        unsubscribe,
        openapi,
    )
)
"""Routes without an API key: whatever the header has, their requests count as ones without a key."""


def load() -> None:
    """Import the modules with the routes. Importing this module has done it."""


def register(app: Flask, container: Container) -> None:
    """Add the routes to the application."""
    app.config[LOGGED_WORDS].update(word for provider in PROVIDERS for word in provider)
    for module in (*_MODULES, *(_LEGACY_MODULES if container.parts.settings.legacy_2020 else ())):
        routes: Blueprint = module.blueprint(container)
        if module in _KEYLESS:
            routes.before_request(_work_without_key)
        app.register_blueprint(routes)


def _work_without_key() -> None:
    work_without_key(request.environ)
