"""The public API, version 1 (contract: public-api 15.1), for clients of 2020 and before. `LEGACY_2020` serves it."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, g, request

from notify.infra.container import Container
from notify.infra.request_gate import allow_large_body
from notify.public.auth import Authenticator
from notify.public.v1 import errors, reading, sending

MODULES: Final = (sending, reading)
ENDPOINTS: Final = tuple(endpoint for module in MODULES for endpoint in module.endpoints)
"""Every endpoint, in the order of the API's description."""


def blueprint(container: Container) -> Blueprint:
    """The routes at `/notifications`."""
    authenticator = container.get(Authenticator)
    v1 = Blueprint("v1", __name__)

    # not in the endpoints, so that it applies to automatic OPTIONS too
    @v1.before_request
    def authenticate() -> None:
        g.caller = authenticator.authenticate(request.headers.get("Authorization"))
        allow_large_body(request.environ)

    errors.handle(v1)
    for module in MODULES:
        module.endpoints.register(v1, container)
    v1.add_url_rule("/notifications/<string:notification_type>", view_func=sending.refuse_type, methods=["POST"])
    return v1
