"""Authentication of the internal API's clients: the admin app, and few others, each with its secrets (contract:
public-api 1.5).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self
from uuid import UUID

from notify.infra import tokens
from notify.infra.container import Container
from notify.infra.tokens import AuthError
from notify.settings import Settings


class Client(StrEnum):
    """A client of internal routes; the value is its default id, which tokens carry as `iss`."""

    ADMIN = "notify-admin"
    FUNCTIONAL_TESTS = "notify-functional-tests"
    ALERTS = "govuk-alerts"


class UnknownClientError(Exception):
    """The client of these routes has no secrets in `INTERNAL_CLIENT_API_KEYS`, so no one can call them."""


class InternalAuthenticator:
    """Checks that a request comes from the client that a route is for. API keys of services do not count here."""

    def __init__(self, settings: Settings) -> None:
        self._ids = {client: client.value for client in Client} | {Client.ADMIN: settings.admin_client_id}
        self._secrets = settings.internal_client_api_keys

    @classmethod
    def build(cls, container: Container) -> Self:
        """The authenticator of a process."""
        return cls(container.parts.settings)

    def authenticate(self, header: str | None, client: Client) -> None:
        """Return if the Authorization header proves that `client` calls.

        Raises `AuthError`, and `UnknownClientError` if the client has no secrets.
        """
        scheme, token = tokens.bearer_token(header)
        if scheme != "bearer" or not token:
            raise AuthError("Unauthorized: authentication bearer scheme must be used", status=401)
        token_header, claims = tokens.read_unverified(token)
        expected = self._ids[client]
        if claims["iss"] != expected:
            raise AuthError("Unauthorized: not allowed to perform this action", status=401)
        secrets = self._secrets.get(expected)
        if not secrets:
            raise UnknownClientError(expected)
        tokens.check_algorithm(token_header)
        if not any(tokens.is_signed_with(token, secret) for secret in secrets):
            raise AuthError("Invalid token: API key not found")


def acting_user(text: str | None) -> UUID | None:
    """The user who acts, by the admin app's `X-Notify-User-Id` (1.5) or a body. None if the text is not an id."""
    try:
        return UUID(text or "")
    except ValueError:
        return None
