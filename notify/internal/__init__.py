"""The internal API, which the admin app talks to: one module a noun, each with its `routes`."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from notify.infra.container import Container
    from notify.internal.routes import Routes


def groups() -> list[Routes]:
    """The routes that the modules of this room declare, each once."""
    from notify.internal.routes import Routes

    modules = [import_module(module.name) for module in pkgutil.iter_modules(__path__, f"{__name__}.")]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, Routes)]
    return list(dict.fromkeys(found))


def register(app: Flask, container: Container) -> None:
    """Have the application serve the internal API."""
    for routes in groups():
        app.register_blueprint(routes.blueprint(container))
