"""The routes of file checks."""

from __future__ import annotations

from flask import Flask

from notify.file_checks import antivirus, document_download
from notify.infra.container import Container


def load() -> None:
    """Import the modules with the routes. Importing this module has done it."""


def register(app: Flask, container: Container) -> None:
    """Add the routes to the application."""
    app.register_blueprint(antivirus.blueprint(container))
    app.register_blueprint(document_download.blueprint(container))
