"""The routes of the object store. For development and test only: elsewhere the admin app uses a real one."""

from __future__ import annotations

from flask import Flask

from notify.infra.container import Container
from notify.objects_api import endpoints


def load() -> None:
    """Import the modules with the routes. They are imported above."""


def register(app: Flask, container: Container) -> None:
    """Add the routes to the application."""
    app.register_blueprint(endpoints.blueprint(container))
