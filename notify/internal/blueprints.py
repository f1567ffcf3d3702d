"""Collects the routes of the internal API from the modules of this room."""

from __future__ import annotations

import pkgutil
from importlib import import_module

from flask import Flask

from notify import internal
from notify.infra.container import Container
from notify.internal.routes import Routes
from notify.public import metrics_page, status


def load() -> None:
    """Import the modules of this room that declare routes."""
    groups()


def groups() -> list[Routes]:
    """The routes that the modules of this room declare, each once."""
    names = [module.name for module in pkgutil.iter_modules(internal.__path__, f"{internal.__name__}.")]
    modules = [import_module(name) for name in names if name != __name__]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Routes)]
    return list(dict.fromkeys(found))


def served_groups(*, legacy: bool) -> list[Routes]:
    """The groups that an application serves; those of 2020 only if `legacy`, the setting `LEGACY_2020`."""
    return [routes for routes in groups() if legacy or not routes.legacy]


def register(app: Flask, container: Container) -> None:
    """Add the routes to the application, and those of the process itself unless the public API has added them."""
    for module in (status, metrics_page):
        blueprint = module.blueprint(container)
        if blueprint.name not in app.blueprints:
            app.register_blueprint(blueprint)
    settings = container.parts.settings
    served = [routes for routes in served_groups(legacy=settings.legacy_2020) if routes.is_served(settings)]
    for routes in served:
        app.register_blueprint(routes.blueprint(container))
