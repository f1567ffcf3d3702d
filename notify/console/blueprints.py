"""The console's routes. For development and test only: they show messages to anyone."""

from __future__ import annotations

from flask import Flask

from notify.console import api, guard
from notify.infra.container import Container


def load() -> None:
    """Import the modules with the routes. They are imported above."""


def register(app: Flask, container: Container) -> None:
    """Add the routes to the application, without the CORS headers that the API has."""
    app.register_blueprint(api.blueprint(container))
    app.wsgi_app = guard.WithoutCors(app.wsgi_app)  # type: ignore[method-assign]
