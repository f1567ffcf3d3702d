"""The routes of the template preview service. Each module adds its own: `add_routes(routes, container)`."""

from __future__ import annotations

from flask import Flask

from notify.infra.container import Container
from notify.template_preview import precompiled, templated
from notify.template_preview.door import door

_MODULES = (precompiled, templated)


def load() -> None:
    """Import the modules with the routes. Empty: the imports above do it."""


def register(app: Flask, container: Container) -> None:
    """Add the routes to the application."""
    routes = door(container)
    for module in _MODULES:
        module.add_routes(routes, container)
    app.register_blueprint(routes)
