"""The public API, version 2 (contract: public-api 6 to 9). Views are thin: they call the rooms below, and serialise."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, g, request

from notify.infra.container import Container
from notify.infra.request_gate import allow_large_body
from notify.public.auth import Authenticator
from notify.public.v2 import bulk, errors, notifications, received_texts, sending, templates

MODULES: Final = (sending, bulk, notifications, templates, received_texts)
ENDPOINTS: Final = tuple(endpoint for module in MODULES for endpoint in module.endpoints)
"""Every endpoint, in the order of the API's description."""


def blueprint(container: Container) -> Blueprint:
    """The routes below `/v2`."""
    authenticator = container.get(Authenticator)
    v2 = Blueprint("v2", __name__, url_prefix="/v2")

    # not in the endpoints, so that it applies to automatic OPTIONS too
    @v2.before_request
    def authenticate() -> None:
        g.caller = authenticator.authenticate(request.headers.get("Authorization"))
        allow_large_body(request.environ)

    errors.handle(v2)
    for module in MODULES:
        module.endpoints.register(v2, container)
    v2.add_url_rule("/notifications/<string:notification_type>", view_func=sending.refuse_type, methods=["POST"])
    return v2
